"""What a bank or a payment service says it paid out, held against the books.

files        a file, bounded and of a known form, as rows of text
csv_rows     the rows of a CSV file, in whatever letters it is written
xlsx_rows    the rows of a workbook, read as a stream
xlsx_parts   what a workbook says of itself before its rows
columns      which column is which
lines        a row as a line of money, or why it is none
spool        all lines of a file, judged as a whole before anything is done
judging      what a line is to the books
reconciling  a file against the books: looked at, or applied
writing      the report of what needs a person
"""
