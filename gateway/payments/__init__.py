"""What services that take money tell us, in the form each of them speaks.

form         what a form is, and what every one of them hands on: a Notice
registry     the forms that are installed, and one built from a channel's settings
signing      the header X-Signature, made and checked
fields       a JSON body, read without a guess
signed_json  a payment service: paid, paid back, taken back
pos          a store's till: a gift beside a purchase
purposes     whether the menus know what a gift is for
taking       a notice into the books, and what the sender is answered
"""
