/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FLAGS_COMMON_H
#define FLAGS_COMMON_H

/* Properties that flags express, and flags, as short texts for tables of tests.
   Include "lib.h" first. All is on the data stack unless mem is given. */

#include "mapi-mailprops-flags.h"

/* What PidNameKeywords is in an overlay here */
#define FLAGS_KEYWORDS_TAG 0x8765101f

/* "flag", "icon", "verb", "scl", "time" (of the verb), "fup" (icon of the flag),
   "todo" (flags), "cat" */
uint32_t flags_prop_tag(const char *key);
/* "flag=2;-verb;cat=a,b": set, removed, set */
struct mapi_overlay *flags_overlay_parse(TALLOC_CTX *mem, const char *str);
/* The same, in the order of the keys above */
const char *flags_overlay_str(const struct mapi_overlay *overlay);

/* "AF[$Forwarded]": \Answered \Flagged; \Seen is "S" */
void flags_state_parse(const char *str, struct mapi_flag_state *state);
const char *flags_state_str(const struct mapi_flag_state *state);

#endif
