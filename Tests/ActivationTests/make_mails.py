#!/usr/bin/python3
"""Writes Mails/*.eml: mails and pages that hold a link, damaged in the ways that mail damages them.

Made with Python's own email package and from the published forms of Safe Links and URL Defense; it
shares no code with the reader in Swift. A file's name begins with what it holds: signed, otpauth,
or something that is rejected. Run: make_mails.py FOLDER
"""
import base64, html, pathlib, quopri, sys, textwrap
from email.message import EmailMessage
from email.policy import SMTP, default
from urllib.parse import quote

OUT = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).parent
SIGNED = (HERE / "Vectors/ok-code.txt").read_text().split("\n\n")[1].strip()
JWS = SIGNED.split("#")[1]
WEB = f"https://issuer.example/soft_token/start?x=1#softtoken={JWS}"
OTPAUTH = ("otpauth://totp/Example%20Token%20Authority:dr.ann%40example.org"
           "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20Token%20Authority"
           "&digits=6&period=30")
LINKS = {"signed": SIGNED, "otpauth": OTPAUTH}
HELLO = "Dear Dr. Ann,\n\nyour soft token is ready. Open this link on your second device:\n\n"
BYE = "\n\nSee https://www.example.org/help for help.\nYour token team\n"


def write(name, text):
    (OUT / f"{name}.eml").write_bytes(text if isinstance(text, bytes) else text.encode())


def page(link, shown=None):
    link = html.escape(link)
    shown = link if shown is None else shown
    return ("<html><head><style>a { color: red }</style></head><body><p>Dear Dr. Ann, open<br>\n"
            f'<a class="button" href="{link}" target="_blank">{shown}</a>.</p>\n'
            '<p>See <a href="https://www.example.org/help?a=1&amp;b=2">help</a></p></body></html>\n')


def mail(plain=None, rich=None, cte=None, policy=default):
    message = EmailMessage(policy=policy)
    message["From"] = "tokens@issuer.example"
    message["To"] = "dr.ann@example.org"
    message["Subject"] = "Your soft token"
    if plain is not None:
        message.set_content(plain, cte=cte)
    if rich is not None:
        (message.add_alternative if plain is not None else message.set_content)(
            rich, subtype="html", cte=cte)
    return message


def safe_link(link):
    return ("https://nam02.safelinks.protection.outlook.com/?url=" + quote(link, safe="")
            + "&data=05%7C01%7Cdr.ann%40example.org%7Cabc&sdata=Zm9v%3D&reserved=0")


def url_defense_2(link):
    inside = quote(link, safe="/").replace("-", "%2D").replace("_", "%5F")
    inside = inside.replace("%", "-").replace("/", "_")
    return f"https://urldefense.proofpoint.com/v2/url?u={inside}&d=DwMFaQ&c=abc&r=def&m=ghi&s=jkl&e="


def url_defense_3(link):
    replaced = "#" * link.count("#")
    letters = base64.urlsafe_b64encode(replaced.encode()).rstrip(b"=").decode()
    inside = link.replace("#", "*")
    return f"https://urldefense.com/v3/__{inside}__;{letters}!!ABC123!xyz-QRS_tuv$"


for kind, link in LINKS.items():
    write(f"{kind}-bare", link)
    write(f"{kind}-bare-brackets", f" <{link}>\r\n")
    write(f"{kind}-bare-entities", html.escape(link))
    write(f"{kind}-bare-quoted-printable", link.replace("=", "=3D"))
    write(f"{kind}-plain", HELLO + link + BYE)
    write(f"{kind}-plain-full-stop", HELLO + link + "." + BYE)
    write(f"{kind}-plain-parentheses", "Your link (" + link + "), valid for a week." + BYE)
    write(f"{kind}-plain-quotation-marks", f'Your link is "{link}".' + BYE)
    write(f"{kind}-plain-typographic", f"Your link is “{link}”." + BYE)
    write(f"{kind}-plain-sentence", f"Open {link} on your second device." + BYE)
    write(f"{kind}-plain-next-line", HELLO + link + "\nThanks,\nthe team\n")
    # White space ends an otpauth link: what is broken without a proof is rejected.
    broken = "open" if kind == "otpauth" else kind
    for width in [60, 72, 76]:
        wrapped = "\n".join(textwrap.wrap(link, width))
        write(f"{broken}-wrapped-{width}", HELLO + wrapped + BYE)
        flowed = " \n".join(textwrap.wrap(link, width))
        head = "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\n\n"
        write(f"{kind}-flowed-{width}", head + HELLO + flowed + BYE)
        write(f"{kind}-wrapped-{width}-brackets", HELLO + "<" + wrapped + ">" + BYE)
    crlf = "\r\n".join(textwrap.wrap(link, 72))
    write(f"{broken}-wrapped-crlf", HELLO.replace("\n", "\r\n") + crlf + BYE.replace("\n", "\r\n"))
    reply = "\n> ".join(textwrap.wrap(link, 70))
    write(f"{broken}-wrapped-reply", "> Dear Dr. Ann\n> \n> " + reply + "\n> \n> bye\n")
    write(f"{kind}-mail-7bit", mail(HELLO + link + BYE).as_bytes() if len(link) < 900
          else mail(HELLO + link + BYE, cte="quoted-printable").as_bytes())
    write(f"{kind}-mail-quoted-printable", mail(HELLO + link + BYE, cte="quoted-printable").as_bytes())
    write(f"{kind}-mail-base64", mail(HELLO + link + BYE, cte="base64").as_bytes())
    write(f"{kind}-mail-html", mail(rich=page(link), cte="quoted-printable").as_bytes())
    write(f"{kind}-mail-html-button", mail(rich=page(link, "Activate"), cte="base64").as_bytes())
    both = mail(HELLO + link + BYE, page(link, "Activate"), "quoted-printable", SMTP)
    write(f"{kind}-mail-alternative", both.as_bytes())
    forwarded = mail("See below.\n")
    forwarded.add_attachment(both)
    write(f"{kind}-mail-forwarded", forwarded.as_bytes())
    pictured = mail(HELLO + link + BYE, page(link), "quoted-printable")
    pictured.add_attachment(bytes(range(256)) * 8, maintype="image", subtype="png")
    write(f"{kind}-mail-picture", pictured.as_bytes())
    write(f"{kind}-mailbox", b"From tokens@issuer.example Mon Jun 16 2025\n" + both.as_bytes())
    write(f"{kind}-page", page(link))
    write(f"{kind}-page-wbr", page(link, "<wbr>".join(textwrap.wrap(html.escape(link), 20))))
    body = quopri.encodestring((HELLO + link + BYE).encode())
    write(f"{kind}-quoted-printable-without-header", body)

for name, wrap in [("safe-links", safe_link), ("url-defense-2", url_defense_2),
                   ("url-defense-3", url_defense_3),
                   ("both-gateways", lambda link: safe_link(url_defense_3(link)))]:
    write(f"signed-{name}", wrap(WEB))
    write(f"signed-{name}-mail", mail(HELLO + wrap(WEB) + BYE, page(wrap(WEB), "Activate"),
                                      "quoted-printable").as_bytes())
write("signed-safe-links-otpauth-host", mail(rich=page(safe_link(SIGNED), "x"), cte="base64").as_bytes())
write("signed-web-plain", HELLO + WEB + BYE)
write("signed-web-wrapped", HELLO + "\n".join(textwrap.wrap(WEB, 72)) + BYE)
write("signed-both-carriers", HELLO + WEB + "\n\nor\n\n" + SIGNED + BYE)
write("otpauth-raw-space-mail", mail(rich=page(OTPAUTH.replace("%20", " "), "x"),
                                     cte="quoted-printable").as_bytes())
write("otpauth-raw-space-brackets", HELLO + "<" + OTPAUTH.replace("%20", " ") + ">" + BYE)
write("otpauth-raw-space", OTPAUTH.replace("%20", " "))

write("several-links", HELLO + SIGNED + "\n\nand\n\n" + OTPAUTH + BYE)
write("several-links-otpauth", HELLO + OTPAUTH + "\n\n" + OTPAUTH.replace("GEZD", "AAAA") + BYE)
write("hard-token-thales", mail("Your token is on its way. Serial number on the back, below the bar code:\n"
                                "https://se.safenetid.com/selfEnrollment/index.aspx?code=ABC\n").as_bytes())
write("foreign-mobilepass-page", HELLO + "https://se.safenetid.com/selfEnrollment/index.aspx?code=A" + BYE)
write("foreign-mobilepass-serial", HELLO + "mobilepassplus://autoenrollment?str=QUJD\n\nSerial number: 1" + BYE)
write("foreign-steam-label", HELLO + OTPAUTH.replace("Example%20Token%20Authority", "Steam") + BYE)
write("hard-token", mail("Your hard token is on its way. Have its serial number ready and go to\n"
                         "https://www.example.org/register to link it.\n").as_bytes())
write("foreign-mobilepass", mail(rich=page("mobilepassplus://autoenrollment?str=QUJD", "Enroll"),
                                 cte="base64").as_bytes())
write("foreign-rsa", HELLO + "http://127.0.0.1/securid/ctf?ctfData=200012345678901234567890" + BYE)
write("foreign-duo", HELLO + "https://m-1234.duosecurity.com/activate/ABCDEFG" + BYE)
write("foreign-migration", HELLO + "otpauth-migration://offline?data=QUJD" + BYE)
write("foreign-request", HELLO + "softtoken:request#AAAA" + BYE)
write("none-pages-only", HELLO + "https://www.example.org/" + BYE)
write("none-words", "Dear Dr. Ann,\nyour token comes next week.\n")
write("damaged-signed", HELLO + SIGNED[:-20] + BYE)
write("damaged-otpauth", HELLO + OTPAUTH.replace("GEZD", "G018") + BYE)
