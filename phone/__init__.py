"""What a handset can dial, show and type. Imports nothing else of ours.

What comes in:

- `digits`    Persian and Arabic digits and letters folded, so that they can be compared
- `numbers`   phone numbers as E.164, from a network or from a person
- `amounts`   money as people write it: figures, words, toman, rial
- `numerals`  whole numbers in figures, in Persian and English words, and in both
- `codes`     nine-digit tracking codes: made, checked, read
- `dialcode`  dial codes in dial order, however the text around them stored them
- `private`   card numbers and national IDs, found so that they can be refused

What goes out:

- `encoding`  GSM-7 and UCS-2 units counted, texts cut into SMS parts
- `figures`   sums of money in the reader's digits
- `dates`     days and times in the Persian calendar, and days read back

And the wire of message centres:

- `smpp`      SMPP 3.4: a codec, and a link that is kept
"""
