/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties of messages as their overlays say them: what a bag has, and what a
   client has set. */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mapi-codepage.h"
#include "mapi-mailprops-private.h"
#include "mapi-prop-class.h"
#include "mapi-property-info.h"
#include "mime-charset.h"

/* Reads the stream of a property. */
static enum mapi_error
overlay_read_stream(struct istream *input, TALLOC_CTX *mem, size_t max_size,
		    struct mapi_value *value_r)
{
	const unsigned char *data;
	size_t size, used = 0;
	uoff_t total;
	uint8_t *buf;

	i_stream_seek(input, 0);
	if (i_stream_get_size(input, TRUE, &total) <= 0)
		return EC_ERROR;
	if (total > max_size)
		return EC_NOT_ENOUGH_MEMORY;
	buf = talloc_array(mem, uint8_t, total);
	while (used < total && i_stream_read_more(input, &data, &size) > 0) {
		size = I_MIN(size, total - used);
		memcpy(buf + used, data, size);
		used += size;
		i_stream_skip(input, size);
	}
	if (used < total)
		return EC_ERROR;
	*value_r = mapi_value_bin(buf, total);
	return EC_NONE;
}

/* Whether RTF, which is more than what's derived from it, is the message's best
   body, [MS-OXBBODY] 2.1.3.1 */
static bool overlay_is_rtf(const struct mapi_overlay *overlay)
{
	const struct mapi_value *in_sync =
		mapi_propset_get(overlay->props, PIDTAG_RTF_IN_SYNC);

	return mapi_propset_find(overlay->props,
				 PIDTAG_RTF_COMPRESSED) != NULL &&
		(in_sync == NULL || in_sync->u.b);
}

/* PidTagRtfInSync of a message that has no RTF isn't true, whatever has been
   saved: clients that believe it show no HTML. */
static bool
overlay_prop_is_untrue(const struct mapi_overlay *overlay,
		       const struct mapi_content_prop *prop)
{
	return prop->tag == PIDTAG_RTF_IN_SYNC &&
		mapi_propset_find(overlay->props, PIDTAG_RTF_COMPRESSED) == NULL;
}

/* An attachment that isn't a part of the body, and can't be derived or not as
   one of these: what RTF shows isn't hidden as what HTML shows is */
static bool overlay_has_own_attachment(const struct mapi_overlay *overlay)
{
	const struct mapi_overlay *attachment;
	const struct mapi_value *hidden;
	unsigned int i;

	for (i = 0; i < overlay->attachment_count; i++) {
		attachment = overlay->attachments[i].overlay;
		hidden = mapi_propset_get(attachment->props,
					  PIDTAG_ATTACHMENT_HIDDEN);
		if (hidden != NULL ? !hidden->u.b :
		    overlay->attachments[i].derived < 0 ||
		    mapi_propset_find(attachment->absent,
				      PIDTAG_ATTACHMENT_HIDDEN) != NULL)
			return TRUE;
	}
	return FALSE;
}

enum mapi_error
mapi_overlay_get_value(const struct mapi_overlay *overlay, uint32_t tag,
		       TALLOC_CTX *mem, size_t max_size,
		       struct mapi_value *value_r, bool *found_r)
{
	const struct mapi_content_prop *prop;

	*found_r = TRUE;
	prop = mapi_propset_find(overlay->props, tag);
	if (prop != NULL && overlay_prop_is_untrue(overlay, prop))
		prop = NULL;
	if (prop == NULL) {
		if (mapi_propset_find(overlay->absent, tag) != NULL)
			return EC_NOT_FOUND;
		if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_HAS_ATTACHMENTS) &&
		    overlay_has_own_attachment(overlay)) {
			*value_r = mapi_value_bool(TRUE);
			return EC_NONE;
		}
		if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_NATIVE_BODY) &&
		    overlay_is_rtf(overlay)) {
			*value_r = mapi_value_i32(MIME_NATIVE_RTF);
			return EC_NONE;
		}
		if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_RTF_IN_SYNC) &&
		    overlay_is_rtf(overlay)) {
			*value_r = mapi_value_bool(TRUE);
			return EC_NONE;
		}
		*found_r = FALSE;
		return EC_NONE;
	}
	if (prop->value.type == PTYP_OBJECT) {
		/* to be opened as a stream */
		return EC_NOT_ENOUGH_MEMORY;
	}
	if (prop->stream != NULL)
		return overlay_read_stream(prop->stream, mem, max_size,
					   value_r);
	if ((prop->value.type == PTYP_STRING ||
	     prop->value.type == PTYP_BINARY) &&
	    max_size != SIZE_MAX && mapi_prop_body(tag) != 0 &&
	    mapi_value_size(&prop->value) > max_size)
		return EC_NOT_ENOUGH_MEMORY;
	return mapi_value_copy(mem, value_r, &prop->value) ?
		EC_NONE : EC_NOT_ENOUGH_MEMORY;
}

/* As mime_build() labels it: NULL if the bytes themselves say it better */
static const char *html_charset(const struct mapi_value *codepage)
{
	if (codepage->type != PTYP_INTEGER32 ||
	    !mapi_codepage_is_known(codepage->u.i32) ||
	    codepage->u.i32 == MAPI_CODEPAGE_ASCII ||
	    codepage->u.i32 == MAPI_CODEPAGE_UTF8)
		return NULL;
	return mapi_codepage_charset(codepage->u.i32);
}

enum mapi_error
mapi_mailprops_html_to_str(struct mapi_message_view *view, TALLOC_CTX *mem,
			   struct mapi_value *value)
{
	static const uint32_t tag = PIDTAG_INTERNET_CODEPAGE;
	const struct mapi_binary *html = &value->u.bin;
	struct mapi_value codepage;
	enum mapi_error error;
	const char *charset;
	string_t *str;

	error = mapi_mailprops_eval(view, mem, &tag, 1, SIZE_MAX, &codepage);
	if (error != EC_NONE)
		return error;
	charset = html_charset(&codepage);
	str = str_new(default_pool, html->len + 64);
	if (charset == NULL)
		mime_charset_to_utf8(NULL, html->data, html->len, str);
	else {
		mime_filter_run(mime_charset_filter(charset), html->data,
				html->len, str);
	}
	*value = mapi_value_str(talloc_strdup(mem, str_c(str)));
	str_free(&str);
	return EC_NONE;
}
