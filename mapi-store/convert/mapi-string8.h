/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STRING8_H
#define MAPI_STRING8_H

/* Strings in values as PTYP_STRING or PTYP_STRING8, whichever a client wants.

   Strings and multi-values of them are converted, and so are those in the values
   that are restrictions or rule actions, where the types in tags follow. Other
   values are left alone. What is converted is allocated from mem; restrictions and
   actions are changed where they are. */

#include "mapi-restriction.h"

void mapi_value_to_string8(TALLOC_CTX *mem, uint32_t code_page,
			   struct mapi_value *value);
void mapi_value_to_string(TALLOC_CTX *mem, uint32_t code_page,
			  struct mapi_value *value);
void mapi_restriction_to_string8(TALLOC_CTX *mem, uint32_t code_page,
				 struct mapi_restriction *res);

#endif
