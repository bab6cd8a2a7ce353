/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_OBJECT_PROPS_H
#define MAPI_OBJECT_PROPS_H

/* Reading properties of any object, with what a client may ask for on top of
   what the object itself answers: strings as PTYP_STRING8 or of no type,
   limits of size. [MS-OXCPRPT] 3.2.5.1 */

#include "mapi-object.h"

struct mapi_props_options {
	/* Values larger than this many bytes (as mapi_value_size() counts)
	   become EC_NOT_ENOUGH_MEMORY: the client reads them as streams */
	size_t max_size;
	/* code page of PTYP_STRING8, for objects that have none of their own */
	uint32_t code_page;
	/* strings that are asked for as PTYP_UNSPECIFIED are PTYP_STRING, not
	   PTYP_STRING8 */
	bool unicode;
};

/* Fills values_r[count], allocated from mem. A value is either of the type that
   its tag asks for (any if that is PTYP_UNSPECIFIED), or PTYP_ERROR_CODE:
   EC_NOT_FOUND, EC_NOT_ENOUGH_MEMORY, EC_INVALID_TYPE if the tag's type doesn't
   exist, EC_UNEXPECTED_TYPE if the property has another one. */
enum mapi_error
mapi_object_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
		      const struct mapi_props_options *options,
		      const uint32_t *tags, unsigned int count,
		      struct mapi_value *values_r);

/* All properties that the object has a value of. What is larger than
   max_size is there with a tag of type PTYP_ERROR_CODE. */
enum mapi_error
mapi_object_get_all_props(struct mapi_object *obj, TALLOC_CTX *mem,
			  const struct mapi_props_options *options,
			  struct mapi_property **props_r,
			  unsigned int *count_r);

/* The code page that a message was opened with (RopOpenMessage), which its
   attachments inherit; 0 for other objects: the logon's counts. */
uint32_t mapi_object_code_page(const struct mapi_object *obj);

/* Does one value what mapi_object_get_props() does to all, for values that
   come from elsewhere (table rows): converts it to what tag asks for, and
   looks at max_size. */
void mapi_value_convert(TALLOC_CTX *mem,
			const struct mapi_props_options *options,
			uint32_t tag, struct mapi_value *value);

#endif
