/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CATEGORIES_H
#define MAPI_CATEGORIES_H

/* Categories (PidNameKeywords, [MS-OXCMSG] 2.2.1.17) as IMAP keywords.

   A category whose name can be a keyword is that keyword: "Projects". So is each
   keyword a category, but for those that programs set for themselves: what begins
   with "$", "Junk", "NonJunk" and so on.

   The five labels of Thunderbird are keywords $label1 to $label5; they are the
   categories that Thunderbird shows: Important, Work, Personal, To Do, Later.

   All other names are written behind "$Cat:" with "_" for spaces, and in place of
   what a keyword can't have "&" and "-" around base32 (RFC 4648, without "=") of
   the characters as big-endian UTF-16 ("$Cat:Caf&ADUQ-"). Base32, as keywords
   don't tell upper from lower case.

   Keywords have a maximum length (mail_max_keyword_length, 50 by default): not
   each of these is one that a mailbox takes. */

#include <talloc.h>

/* The category that the keyword stands for, allocated from mem. NULL if it's
   none. */
const char *mapi_category_from_keyword(TALLOC_CTX *mem, const char *keyword);
/* The keyword, on the data stack. NULL if the name is empty. */
const char *t_mapi_category_to_keyword(const char *category);

#endif
