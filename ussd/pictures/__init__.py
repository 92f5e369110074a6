"""Menus as a picture.

graph     screens as boxes and keys as links
skeleton  which links are drawn as lines; the others are named in their box
mermaid   the graph in Mermaid's words
drawing   the graph as SVG: `cards` are its boxes, `layering` says where they stand
"""
