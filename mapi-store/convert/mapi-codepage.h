/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CODEPAGE_H
#define MAPI_CODEPAGE_H

/* Strings of type PTYP_STRING8: Windows code pages by number. */

#include "mapi-value.h"

/* "the code page of the logon", [MS-OXCMSG] 2.2.3.1.1 */
#define MAPI_CODEPAGE_LOGON 0x0FFF
#define MAPI_CODEPAGE_ASCII 20127
#define MAPI_CODEPAGE_UTF8 65001

/* The name of a code page that iconv(3) knows. Code pages that aren't known
   are taken as windows-1252, as clients do. */
const char *mapi_codepage_charset(uint32_t code_page);
bool mapi_codepage_is_known(uint32_t code_page);

/* UTF-8 in a code page. What the code page lacks becomes '?'. */
const char *mapi_codepage_from_utf8(TALLOC_CTX *mem, uint32_t code_page,
				    const char *str);
/* and back. What isn't valid in the code page becomes U+FFFD. */
const char *mapi_codepage_to_utf8(TALLOC_CTX *mem, uint32_t code_page,
				  const char *str8);

#endif
