"""The most common passwords of at least eight characters, in lower case."""

_LIST = """
00000000 11111111 11223344 12121212 123123123 12341234 123456123 12345678 123456789 1234567890 1q2w3e4r
1q2w3e4r5t 1qaz2wsx 66666666 87654321 88888888 987654321 99999999 a1b2c3d4 aa123456 abc12345 abcd1234
abcdefgh access14 admin123 administrator alexander asdf1234 asdfghjk asdfghjkl ashley12 baseball
batman123 blink182 butterfly changeme changeme1 changeme123 charlie1 chocolate christian computer
corvette danielle default1 dragon123 elizabeth facebook1 football football1 freedom1 fuckyou1 ginger123
google123 guest123 hello123 hellohello hunter22 iloveyou iloveyou1 internet jennifer jordan23 killer123
letmein1 letmein123 liverpool login123 lovelove master123 mercedes michael1 monkey123 nintendo p@ssw0rd
p@ssword pass1234 pass12345 passpass passw0rd password password1 password12 password123 password1234
pokemon1 princess q1w2e3r4 qazwsxedc qwerty123 qwerty1234 qwertyuiop root1234 samsung1 secret123
shadow123 spring2025 starwars summer2024 summer2025 sunshine superman temp1234 test1234 testing123
testtest toor1234 trustno1 victoria welcome1 welcome123 whatever winter2024 winter2025 zaq12wsx zxcvbnm1
zxcvbnm123
"""

COMMON_PASSWORDS = frozenset(_LIST.split())
