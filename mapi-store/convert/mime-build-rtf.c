/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies that are there only as RTF. [MS-OXCMAIL] 2.1.3.3.6, 2.1.3.3.7

   What was wrapped in the RTF is what the message gets: HTML, or text alone. RTF
   that is RTF itself becomes HTML and text. Images that it shows get a content
   id, if they have none, by which the HTML shows them, too; of other attachments
   it has the names where it shows them. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "mime-body.h"
#include "mime-build-private.h"
#include "mime-text.h"
#include "rtf-compress.h"
#include "rtf-html.h"

/* RTF that is longer, compressed or not, isn't converted: it's in memory */
#define RTF_MAX (32 * 1024 * 1024)
/* PidTagRenderingPosition of what isn't shown in the body, [MS-OXCMSG]
   2.2.2.16 */
#define POSITION_NONE -1

struct rtf_place {
	int32_t position;
	unsigned int attachment_idx;
};
ARRAY_DEFINE_TYPE(rtf_place, struct rtf_place);

/* --- the RTF ---------------------------------------------------------------- */

static bool content_has_rtf(const struct mapi_propset *props)
{
	const struct mapi_content_prop *prop =
		mapi_propset_find(props, PIDTAG_RTF_COMPRESSED);

	return prop != NULL && (prop->stream != NULL ||
				prop->value.type == PTYP_BINARY);
}

/* [MS-OXBBODY] 2.1.3.1: HTML comes before RTF where a client has saved both, as
   it has the same text; and so does text, if it says that the RTF hasn't. */
static bool rtf_is_wanted(const struct mime_build_bodies *bodies)
{
	const struct mapi_propset *props = bodies->content->props;
	const struct mapi_value *native, *in_sync;

	if (bodies->html || !content_has_rtf(props))
		return FALSE;
	if (!bodies->text)
		return TRUE;
	native = mapi_propset_get(props, PIDTAG_NATIVE_BODY);
	in_sync = mapi_propset_get(props, PIDTAG_RTF_IN_SYNC);
	if (native != NULL && native->u.i32 == MIME_NATIVE_PLAIN)
		return FALSE;
	return in_sync == NULL || in_sync->u.b;
}

/* 1 if it could be read, 0 if it's too long, -1 on failure */
static int
read_compressed(const struct mapi_content *content, buffer_t *dest)
{
	struct istream *input;
	const unsigned char *data;
	uoff_t total;
	size_t size;
	int ret = 1;

	input = mime_build_open(mapi_propset_find(content->props,
						  PIDTAG_RTF_COMPRESSED));
	/* (a large buffer that grows is copied) */
	if (i_stream_get_size(input, TRUE, &total) > 0)
		(void)buffer_append_space_unsafe(dest, I_MIN(total, RTF_MAX));
	buffer_set_used_size(dest, 0);
	while (ret > 0 && i_stream_read_more(input, &data, &size) > 0) {
		if (size > RTF_MAX - dest->used)
			ret = 0;
		else
			buffer_append(dest, data, size);
		i_stream_skip(input, size);
	}
	if (input->stream_errno != 0)
		ret = -1;
	i_stream_unref(&input);
	return ret;
}

/* as read_compressed(); 0 also if it's none */
static int
read_rtf(const struct mapi_content *content, TALLOC_CTX *mem, uint8_t **rtf_r,
	 size_t *size_r)
{
	buffer_t *buf = buffer_create_dynamic(default_pool, 4096);
	const char *error;
	int ret;

	ret = read_compressed(content, buf);
	if (ret > 0 && rtf_decompress(mem, buf->data, buf->used, RTF_MAX,
				      rtf_r, size_r, &error) < 0)
		ret = 0;
	buffer_free(&buf);
	return ret;
}

/* --- attachments that it shows ---------------------------------------------- */

static int rtf_place_cmp(const struct rtf_place *a, const struct rtf_place *b)
{
	/* (in a client they are unsigned) */
	if (a->position != b->position)
		return (uint32_t)a->position < (uint32_t)b->position ? -1 : 1;
	return a->attachment_idx < b->attachment_idx ? -1 :
		(a->attachment_idx > b->attachment_idx ? 1 : 0);
}

/* [MS-OXRTFEX] 2.2.3.4; data stack */
static void
t_find_places(const struct mapi_content *content,
	      ARRAY_TYPE(rtf_place) *places)
{
	const struct mapi_value *position, *hidden;
	struct rtf_place place;
	unsigned int i;

	t_array_init(places, 8);
	for (i = 0; i < content->attachment_count; i++) {
		position = mapi_propset_get(content->attachments[i].props,
					    PIDTAG_RENDERING_POSITION);
		hidden = mapi_propset_get(content->attachments[i].props,
					  PIDTAG_ATTACHMENT_HIDDEN);
		if (position == NULL || position->u.i32 == POSITION_NONE ||
		    (hidden != NULL && hidden->u.b))
			continue;
		place.position = position->u.i32;
		place.attachment_idx = i;
		array_push_back(places, &place);
	}
	array_sort(places, rtf_place_cmp);
}

static const char *
rtf_image_id(struct mime_build *ctx, TALLOC_CTX *mem,
	     const struct mapi_content_attachment *attachment)
{
	const char *id;

	if (!mime_build_attachment_is_image(attachment))
		return NULL;
	id = t_mime_build_content_id(attachment);
	if (id == NULL)
		id = t_strdup_printf("%06u.%s@rtf", ++ctx->boundaries, ctx->seed);
	return mime_strdup(mem, id);
}

/* Those that native RTF shows in so many places, and which of them are images of
   the HTML. */
static void
t_rtf_objects(struct mime_build *ctx, struct mime_build_bodies *bodies,
	      unsigned int place_count, struct rtf_objects *objects_r)
{
	const struct mapi_content *content = bodies->content;
	const struct mapi_content_attachment *attachment;
	const struct rtf_place *place;
	struct rtf_object *objects;
	ARRAY_TYPE(rtf_place) places;
	unsigned int i = 0;

	t_find_places(content, &places);
	if (place_count == 0 || array_count(&places) != place_count)
		return;
	objects_r->count = place_count;
	objects_r->objects = objects = t_new(struct rtf_object, place_count);
	bodies->rtf_ids = mime_check_alloc(talloc_zero_array(bodies->rtf_mem,
		const char *, content->attachment_count));
	array_foreach(&places, place) {
		attachment = &content->attachments[place->attachment_idx];
		objects[i].name = t_mime_build_attachment_name(attachment);
		objects[i].content_id = bodies->rtf_ids[place->attachment_idx] =
			rtf_image_id(ctx, bodies->rtf_mem, attachment);
		i++;
	}
}

/* --- ------------------------------------------------------------------------ */

static void
convert_rtf(struct mime_build *ctx, struct mime_build_bodies *bodies,
	    const uint8_t *rtf, size_t size)
{
	struct rtf_objects objects = { NULL, 0 };
	enum rtf_kind kind = rtf_kind(rtf, size);
	TALLOC_CTX *mem = bodies->rtf_mem;

	if (kind == RTF_KIND_NATIVE) {
		t_rtf_objects(ctx, bodies, rtf_object_places(rtf, size),
			      &objects);
	}
	if ((kind == RTF_KIND_HTML || kind == RTF_KIND_NATIVE) &&
	    rtf_to_html(mem, rtf, size, &objects, &bodies->rtf_html,
			&bodies->rtf_html_size) == 0)
		bodies->html = TRUE;
	/* Text of HTML is made where it's written. */
	if (!bodies->text &&
	    (kind == RTF_KIND_TEXT || kind == RTF_KIND_NATIVE) &&
	    rtf_to_text(mem, rtf, size, &objects, &bodies->rtf_text,
			&bodies->rtf_text_size) == 0)
		bodies->text = TRUE;
}

int mime_build_bodies_add_rtf(struct mime_build *ctx,
			      struct mime_build_bodies *bodies)
{
	uint8_t *rtf;
	size_t size;
	int ret;

	if (!rtf_is_wanted(bodies))
		return 0;
	bodies->rtf_mem = mime_check_alloc(talloc_new(NULL));
	ret = read_rtf(bodies->content, bodies->rtf_mem, &rtf, &size);
	if (ret <= 0)
		return ret;
	T_BEGIN {
		convert_rtf(ctx, bodies, rtf, size);
	} T_END;
	talloc_free(rtf);
	return 0;
}
