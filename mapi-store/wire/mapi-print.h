/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PRINT_H
#define MAPI_PRINT_H

/* Readable forms for logs. All append to *str, a talloc string; running out of
   memory cuts the text short and no more. */

#include "mapi-wire.h"

void mapi_print(char **str, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* In double quotes; control characters as octal escapes. NULL is NULL. */
void mapi_print_string(char **str, const char *value);
/* "<size:hex>" */
void mapi_print_binary(char **str, const uint8_t *data, size_t size);
void mapi_print_guid(char **str, const struct mapi_guid *guid);
/* "replid:0xglobcnt" */
void mapi_print_id(char **str, mapi_id_t id);
/* "PidTagSubject" or the number */
void mapi_print_tag(char **str, uint32_t tag);
void mapi_print_error(char **str, uint32_t code);
void mapi_print_property(char **str, const struct mapi_property *prop);
void mapi_print_property_name(char **str,
			      const struct mapi_property_name *name);
void mapi_print_property_row(char **str, const struct mapi_property_row *row);

#endif
