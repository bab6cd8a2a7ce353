/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PROP_CLASS_H
#define MAPI_PROP_CLASS_H

/* What becomes of a message's or attachment's property when a client sets it, or
   doesn't. */

#include "mapi-content.h"

enum mapi_prop_class {
	/* as it was saved; not there if it wasn't */
	MAPI_PROP_PLAIN,
	/* As it was saved; made of other properties if it wasn't: [MS-OXCMSG]
	   2.2.1 has them "computed by the server", but clients may set them. */
	MAPI_PROP_DEFAULTED,
	/* the server's alone: can't be set */
	MAPI_PROP_COMPUTED,
};

/* name: of a named property, else NULL */
enum mapi_prop_class
mapi_message_prop_class(uint32_t tag, const struct mapi_property_name *name);
enum mapi_prop_class
mapi_attachment_prop_class(uint32_t tag,
			   const struct mapi_property_name *name);

/* Whether properties of this type are kept: not those that say that there's no
   value, nor 8-bit strings, which become PTYP_STRING before. */
bool mapi_prop_type_is_storable(uint16_t type);

/* for mapi_overlay_diff() */
bool mapi_prop_is_default(const struct mapi_content_prop *prop);

/* PidTagBody, PidTagHtml, PidTagRtfCompressed: which of the bodies it is, as a
   bit; 0 for all others */
enum mapi_body {
	MAPI_BODY_TEXT	= 0x01,
	MAPI_BODY_HTML	= 0x02,
	MAPI_BODY_RTF	= 0x04,
	MAPI_BODY_ALL	= 0x07,
};
enum mapi_body mapi_prop_body(uint32_t tag);

#endif
