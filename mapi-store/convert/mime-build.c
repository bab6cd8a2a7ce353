/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is in what, [MS-OXCMAIL] 2.1.3.3, 2.1.3.4:

     multipart/mixed		if there are attachments
       multipart/related	if the HTML shows some of them
         multipart/alternative	if there's HTML
           text/plain
           text/html
         attachments that the HTML may refer to
       attachments

   Nothing is written that has to be read first but small texts: attachments
   go from their streams to the output. */

#include "lib.h"
#include "hex-binary.h"
#include "istream.h"
#include "sha1.h"
#include "str.h"
#include "mime-build-private.h"
#include "mime-inline.h"

/* --- multiparts ------------------------------------------------------------- */

/* The counter makes them different, its width prevents one from being the
   beginning of another. See mime-build-encode.c. */
static const char *t_boundary(struct mime_build *ctx)
{
	return t_strdup_printf("=_%06u_%s", ++ctx->boundaries, ctx->seed);
}

static void seed_init(struct mime_build *ctx, const string_t *header)
{
	unsigned char digest[SHA1_RESULTLEN];

	if (ctx->params->boundary_seed != NULL) {
		sha1_get_digest(ctx->params->boundary_seed,
				strlen(ctx->params->boundary_seed), digest);
	} else {
		sha1_get_digest(header->data, header->used, digest);
	}
	i_strocpy(ctx->seed, binary_to_hex(digest, MIME_BUILD_SEED_LEN / 2),
		  sizeof(ctx->seed));
}

int mime_build_multipart_begin(struct mime_build *ctx, string_t *header,
			       const char *subtype, const char *params,
			       const char **boundary_r)
{
	*boundary_r = t_boundary(ctx);
	str_printfa(header, "Content-Type: multipart/%s;\r\n"
		    "\tboundary=\"%s\"", subtype, *boundary_r);
	if (params != NULL)
		str_printfa(header, ";\r\n\t%s", params);
	str_append(header, "\r\n");
	return mime_build_send_header(ctx, header);
}

int mime_build_multipart_next(struct mime_build *ctx, const char *boundary,
			      bool first)
{
	const char *line = t_strdup_printf("%s--%s\r\n", first ? "" : "\r\n",
					   boundary);

	return mime_build_send(ctx, line, strlen(line));
}

int mime_build_multipart_end(struct mime_build *ctx, const char *boundary)
{
	const char *line = t_strdup_printf("\r\n--%s--\r\n", boundary);

	return mime_build_send(ctx, line, strlen(line));
}

/* --- messages --------------------------------------------------------------- */

struct note {
	struct mime_build_bodies bodies;
	const struct mapi_content *content;
	/* those that the HTML refers to; NULL if there's no need to know */
	struct mime_cids *cids;
	/* The body shows attachments. Then all that it could refer to are with
	   it. */
	bool related;
	unsigned int other_count;
};

/* Content id by which HTML that was made of RTF shows it, NULL if it doesn't */
static const char *
note_rtf_id(const struct note *note,
	    const struct mapi_content_attachment *attachment)
{
	return note->bodies.rtf_ids == NULL ? NULL :
		note->bodies.rtf_ids[attachment - note->content->attachments];
}

static bool
note_shows_inline(const struct note *note,
		  const struct mapi_content_attachment *attachment)
{
	const char *id;
	bool ret = FALSE;

	if (note_rtf_id(note, attachment) != NULL)
		return TRUE;
	if (!note->bodies.html ||
	    !mime_build_attachment_is_related(attachment))
		return FALSE;
	if (mime_build_attachment_is_inline(attachment))
		return TRUE;
	T_BEGIN {
		id = t_mime_build_content_id(attachment);
		ret = id != NULL && note->cids != NULL &&
			mime_cids_has(note->cids, id);
	} T_END;
	return ret;
}

static bool
note_is_related(const struct note *note,
		const struct mapi_content_attachment *attachment)
{
	return note->related &&
		(mime_build_attachment_is_related(attachment) ||
		 note_rtf_id(note, attachment) != NULL);
}

/* Not every client says what it shows in the body. */
static int note_scan_html(struct note *note)
{
	const struct mapi_content *content = note->content;
	struct istream *input;
	const char *label;
	unsigned int i;

	for (i = 0; i < content->attachment_count; i++) {
		if (mime_build_attachment_is_related(&content->attachments[i]))
			break;
	}
	if (!note->bodies.html || i == content->attachment_count)
		return 0;
	input = mime_build_open_html(&note->bodies, &label);
	note->cids = mime_cids_scan(input);
	i_stream_unref(&input);
	return note->cids == NULL ? -1 : 0;
}

static int
note_init(struct mime_build *ctx, const struct mapi_content *content,
	  struct note *note_r)
{
	const struct mapi_content_attachment *attachment;
	unsigned int i;

	i_zero(note_r);
	note_r->content = content;
	if (mime_build_bodies_init(ctx, content, &note_r->bodies) < 0 ||
	    note_scan_html(note_r) < 0)
		return -1;
	for (i = 0; i < content->attachment_count; i++) {
		attachment = &content->attachments[i];
		if (mime_build_attachment_is_wanted(ctx, attachment) &&
		    note_shows_inline(note_r, attachment))
			note_r->related = TRUE;
	}
	for (i = 0; i < content->attachment_count; i++) {
		attachment = &content->attachments[i];
		if (mime_build_attachment_is_wanted(ctx, attachment) &&
		    !note_is_related(note_r, attachment))
			note_r->other_count++;
	}
	return 0;
}

/* Those that are with the body, or the others, each after a boundary */
static int
send_attachments(struct mime_build *ctx, const struct note *note, bool related,
		 const char *boundary, bool first, string_t *header)
{
	const struct mapi_content_attachment *attachment;
	unsigned int i;

	for (i = 0; i < note->content->attachment_count; i++) {
		attachment = &note->content->attachments[i];
		if (!mime_build_attachment_is_wanted(ctx, attachment) ||
		    note_is_related(note, attachment) != related)
			continue;
		if (mime_build_multipart_next(ctx, boundary, first) < 0 ||
		    mime_build_send_attachment(ctx, attachment,
				note_rtf_id(note, attachment), related &&
				note_shows_inline(note, attachment),
				header) < 0)
			return -1;
		first = FALSE;
	}
	return 0;
}

static int
send_related(struct mime_build *ctx, const struct note *note, string_t *header)
{
	const char *boundary;

	if (!note->related)
		return mime_build_send_bodies(ctx, &note->bodies, header);
	if (mime_build_multipart_begin(ctx, header, "related",
				       "type=\"multipart/alternative\"",
				       &boundary) < 0 ||
	    mime_build_multipart_next(ctx, boundary, TRUE) < 0 ||
	    mime_build_send_bodies(ctx, &note->bodies, header) < 0 ||
	    send_attachments(ctx, note, TRUE, boundary, FALSE, header) < 0)
		return -1;
	return mime_build_multipart_end(ctx, boundary);
}

static int
send_mixed(struct mime_build *ctx, const struct note *note, string_t *header)
{
	const char *boundary;
	/* attachments alone stay alone */
	bool with_body = note->bodies.text || note->bodies.html;

	if (note->other_count == 0)
		return send_related(ctx, note, header);
	if (mime_build_multipart_begin(ctx, header, "mixed", NULL,
				       &boundary) < 0)
		return -1;
	if (with_body &&
	    (mime_build_multipart_next(ctx, boundary, TRUE) < 0 ||
	     send_related(ctx, note, header) < 0))
		return -1;
	if (send_attachments(ctx, note, FALSE, boundary, !with_body,
			     header) < 0)
		return -1;
	return mime_build_multipart_end(ctx, boundary);
}

static int
send_note(struct mime_build *ctx, const struct mapi_content *content,
	  string_t *header)
{
	struct note note;
	int ret;

	ret = note_init(ctx, content, &note);
	if (ret == 0)
		ret = send_mixed(ctx, &note, header);
	mime_cids_free(&note.cids);
	mime_build_bodies_deinit(&note.bodies);
	return ret;
}

static int
send_message(struct mime_build *ctx, const struct mapi_content *content,
	     string_t *header)
{
	int ret;

	mime_build_header(ctx, content, header);
	if (ctx->depth == 0)
		seed_init(ctx, header);
	ret = mime_build_send_smime(ctx, content, header);
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	str_append(header, "MIME-Version: 1.0\r\n");
	ret = mime_build_send_report(ctx, content, header);
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	return send_note(ctx, content, header);
}

int mime_build_message(struct mime_build *ctx,
		       const struct mapi_content *content)
{
	string_t *header = str_new(default_pool, 2048);
	int ret;

	T_BEGIN {
		ret = send_message(ctx, content, header);
	} T_END;
	str_free(&header);
	return ret;
}

/* Whose domain addresses get that aren't internet addresses */
static void domain_init(struct mime_build *ctx, const struct mapi_content *content)
{
	static const struct mime_build_address_tags *const tags[] = {
		&mime_build_sender_tags, &mime_build_representing_tags,
		&mime_build_received_by_tags,
	};
	struct mime_address address;
	const char *at = NULL;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags) && at == NULL; i++) {
		if (t_mime_build_address(ctx, content->props, tags[i],
					 &address) &&
		    strncasecmp(address.address, "IMCEA", 5) != 0)
			at = strrchr(address.address, '@');
	}
	if (at != NULL && at[1] != '\0')
		ctx->domain = i_strdup(at + 1);
}

int mime_build(const struct mapi_content *content,
	       const struct mime_build_params *params, struct ostream *output)
{
	struct mime_build ctx;
	int ret;

	i_zero(&ctx);
	ctx.params = params;
	ctx.output = output;
	T_BEGIN {
		domain_init(&ctx, content);
	} T_END;
	ret = mime_build_message(&ctx, content);
	i_free(ctx.domain);
	return ret;
}
