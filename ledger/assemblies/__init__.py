"""Benefactors of a district: who helps with what, where they meet, what they resolve.

    districts    the districts that have an assembly, by their numbers
    limits       what a title, a count or a day may be
    benefactors  who can help, with how much, and how many people they look after
    meetings     when they meet, and how many came
    invitations  who was asked, who says yes, who is reminded
    decisions    proposals, resolutions and studies, each with an office and a day
    claims       what an office says of its resolution, and a secretary's word on it
    premises     rooms that are offered and asked for
    noting       an event about something that stands in one of these
    leaving      a person who is forgotten
    board        the counts of every district
    records      the rows of all of these, held against their events

A name is sealed under its person's own key. A number of people is only ever a number.
"""
