/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "message-part.h"
#include "mapi-props.h"
#include "mime-attachment.h"
#include "mime-part-stream.h"
#include "mime-text.h"

/* PidTagAttachMethod, [MS-OXCMSG] 2.2.2.9 */
#define ATTACH_BY_VALUE 1
#define ATTACH_EMBEDDED_MESSAGE 5
/* PidTagAttachFlags, [MS-OXCMSG] 2.2.2.18 */
#define ATTACH_RENDERED_IN_BODY 4
/* PidTagRenderingPosition of attachments that aren't at any place in the text,
   [MS-OXCMSG] 2.2.2.16 */
#define NOT_RENDERED (-1)
/* PidTagObjectType of attachments, [MS-OXCPRPT] 2.2.1.7 */
#define MAPI_ATTACH 7

static const uint32_t attachment_tags[] = {
	PIDTAG_ATTACH_METHOD,
	PIDTAG_ATTACH_SIZE,
	PIDTAG_ATTACH_MIME_TAG,
	PIDTAG_DISPLAY_NAME,
	PIDTAG_ATTACH_LONG_FILENAME,
	PIDTAG_ATTACH_FILENAME,
	PIDTAG_ATTACH_EXTENSION,
	PIDTAG_ATTACH_CONTENT_ID,
	PIDTAG_ATTACH_CONTENT_LOCATION,
	PIDTAG_RENDERING_POSITION,
	PIDTAG_ATTACH_FLAGS,
	PIDTAG_ATTACHMENT_HIDDEN,
	PIDTAG_ATTACHMENT_FLAGS,
	PIDTAG_ATTACHMENT_LINK_ID,
	PIDTAG_ATTACHMENT_CONTACT_PHOTO,
	PIDTAG_ATTACH_ENCODING,
	PIDTAG_TEXT_ATTACHMENT_CHARSET,
	PIDTAG_OBJECT_TYPE,
};

bool mime_attachment_prop_at(unsigned int i, uint32_t *tag_r)
{
	if (i >= N_ELEMENTS(attachment_tags))
		return FALSE;
	*tag_r = attachment_tags[i];
	return TRUE;
}

static enum mime_prop_result
get_string(const char *str, TALLOC_CTX *mem, struct mapi_value *value_r)
{
	if (str == NULL)
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_str(mime_strdup(mem, str));
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_attachment_get_prop(const struct mime_attachment *att, TALLOC_CTX *mem,
			 uint32_t tag, struct mapi_value *value_r)
{
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_ATTACH_METHOD):
		*value_r = mapi_value_i32(att->kind == MIME_ATTACH_MESSAGE ?
			ATTACH_EMBEDDED_MESSAGE : ATTACH_BY_VALUE);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACH_SIZE):
		*value_r = mapi_value_i32(I_MIN(att->size, INT32_MAX));
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACH_MIME_TAG):
		return get_string(att->mime_tag, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_DISPLAY_NAME):
		return get_string(att->display_name, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ATTACH_LONG_FILENAME):
		return get_string(att->long_filename, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ATTACH_FILENAME):
		return get_string(att->short_filename, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ATTACH_EXTENSION):
		return get_string(att->extension, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ATTACH_CONTENT_ID):
		return get_string(att->content_id, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ATTACH_CONTENT_LOCATION):
		return get_string(att->content_location, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_RENDERING_POSITION):
		*value_r = mapi_value_i32(NOT_RENDERED);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACH_FLAGS):
		*value_r = mapi_value_i32(att->inline_html ?
					  ATTACH_RENDERED_IN_BODY : 0);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACHMENT_HIDDEN):
		*value_r = mapi_value_bool(att->inline_html);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACHMENT_FLAGS):
	case MAPI_TAG_ID(PIDTAG_ATTACHMENT_LINK_ID):
		*value_r = mapi_value_i32(0);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACHMENT_CONTACT_PHOTO):
		*value_r = mapi_value_bool(FALSE);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_ATTACH_ENCODING):
		/* empty: not a Macintosh file, [MS-OXCMSG] 2.2.2.20 */
		*value_r = mapi_value_bin(NULL, 0);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_TEXT_ATTACHMENT_CHARSET):
		return get_string(att->charset, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_OBJECT_TYPE):
		*value_r = mapi_value_i32(MAPI_ATTACH);
		return MIME_PROP_FOUND;
	}
	return MIME_PROP_UNKNOWN;
}

struct istream *
mime_attachment_open(const struct mime_attachment *att,
		     struct istream *message)
{
	switch (att->kind) {
	case MIME_ATTACH_CONTENT:
		return mime_part_open_decoded(att->part, message);
	case MIME_ATTACH_MESSAGE:
		return mime_part_open_raw(att->part, message);
	case MIME_ATTACH_ENTITY:
		return mime_part_open_entity(att->part, message);
	}
	i_unreached();
}
