/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One walk over the tree of parts, in order. Each leaf becomes part of the
   body, an attachment, or nothing:

   - multipart/alternative: the richest alternative that can be shown is
     walked, the best text/plain beside it is remembered for the plain text
     body. Of the others, what isn't text (Apple Mail puts attachments into one
     of them) and calendars are attachments.
   - multipart/related: the root is walked; the others are attachments, shown
     inline where the body is HTML and can refer to them.
   - other multiparts: all children are walked. The first text is the body;
     further texts of the same message that have no file name and don't say that
     they are attachments are appended to it, [MS-OXCMAIL] 2.2.3.3.2.2. */

#include "lib.h"
#include "array.h"
#include "imap-bodystructure.h"
#include "message-part.h"
#include "message-part-data.h"
#include "mime-class.h"
#include "mime-part-info.h"
#include "mime-structure.h"
#include "mime-text.h"

struct walk_ctx {
	TALLOC_CTX *mem;
	struct mime_structure *structure;
	ARRAY(struct mime_body_part) bodies;
	ARRAY(struct mime_attachment) attachments;
	unsigned int parts;
};

static void walk(struct walk_ctx *ctx, const struct message_part *part,
		 const struct message_part *alternative_text,
		 unsigned int depth);

/* --- attachments ----------------------------------------------------------- */

/* a Content-ID without its angle brackets */
static char *id_dup(TALLOC_CTX *mem, const char *id)
{
	size_t len;

	if (id == NULL)
		return NULL;
	id = t_mime_text_decode(id);
	while (*id == ' ' || *id == '<')
		id++;
	len = strcspn(id, "> ");
	return len == 0 ? NULL : mime_strndup(mem, id, len);
}

static uint64_t part_size_estimate(const struct message_part *part)
{
	return mime_transfer_estimate(mime_part_transfer(part),
				      part->body_size.virtual_size,
				      part->body_size.lines);
}

static const char *t_message_subject(const struct message_part *part)
{
	const struct message_part *msg = part->children;

	if (msg->data == NULL || msg->data->envelope == NULL ||
	    msg->data->envelope->subject == NULL)
		return "";
	return t_mime_text_decode(msg->data->envelope->subject);
}

static void
attachment_set_name(struct walk_ctx *ctx, struct mime_attachment *att)
{
	const struct message_part_data *data = att->part->data;
	const char *name, *description;
	char *filename;

	description = data == NULL || data->content_description == NULL ?
		"" : t_mime_text_decode(data->content_description);
	if (att->kind == MIME_ATTACH_MESSAGE) {
		name = t_message_subject(att->part);
		if (*name == '\0')
			name = description;
		if (*name == '\0')
			name = t_mime_part_filename(att->part);
		att->display_name = mime_strdup(ctx->mem, name == NULL ?
						"" : name);
		att->extension = "";
		return;
	}

	name = t_mime_part_filename(att->part);
	if (name == NULL)
		name = description;
	filename = mime_filename_sanitize(ctx->mem, name);
	if (*filename == '\0') {
		/* as Exchange names what has no name */
		filename = mime_check_alloc(talloc_asprintf(ctx->mem,
			"ATT%05u%s", array_count(&ctx->attachments) + 1,
			mime_type_extension(att->mime_tag)));
	} else if (*mime_filename_extension(filename) == '\0' &&
		   t_mime_part_filename(att->part) == NULL) {
		filename = mime_check_alloc(talloc_asprintf(ctx->mem, "%s%s",
			filename, mime_type_extension(att->mime_tag)));
	}
	att->long_filename = filename;
	att->short_filename = mime_filename_short(ctx->mem, filename);
	att->extension = mime_filename_extension(filename);
	att->display_name = *description == '\0' ? filename :
		mime_strdup(ctx->mem, description);
}

static struct mime_attachment *
attachment_add(struct walk_ctx *ctx, const struct message_part *part,
	       enum mime_attachment_kind kind)
{
	const struct message_part_data *data = part->data;
	struct mime_attachment *att, new_att;

	i_zero(&new_att);
	new_att.kind = kind;
	new_att.part = part;
	T_BEGIN {
		const char *charset;

		new_att.mime_tag = mime_strdup(ctx->mem,
					       t_mime_part_type(part));
		attachment_set_name(ctx, &new_att);
		charset = t_mime_part_param(part, "charset");
		if (charset != NULL && mime_part_is(part, "text", NULL))
			new_att.charset = mime_strdup(ctx->mem, charset);
		if (data != NULL && data->content_location != NULL) {
			new_att.content_location = mime_text_decode_talloc(
				ctx->mem, data->content_location);
		}
		if (data != NULL)
			new_att.content_id = id_dup(ctx->mem, data->content_id);
	} T_END;
	new_att.size = kind == MIME_ATTACH_CONTENT ?
		part_size_estimate(part) : part->body_size.virtual_size;

	att = array_append_space(&ctx->attachments);
	*att = new_att;
	return att;
}

static void
attach_leaf(struct walk_ctx *ctx, const struct message_part *part)
{
	if (mime_part_is_message(part))
		(void)attachment_add(ctx, part, MIME_ATTACH_MESSAGE);
	else if ((part->flags & MESSAGE_PART_FLAG_OVERFLOW) != 0 ||
		 mime_part_is(part, "message", "external-body") ||
		 mime_part_is(part, "message", "partial"))
		(void)attachment_add(ctx, part, MIME_ATTACH_ENTITY);
	else {
		if (mime_part_is(part, "text", "calendar") &&
		    ctx->structure->calendar == NULL)
			ctx->structure->calendar = part;
		(void)attachment_add(ctx, part, MIME_ATTACH_CONTENT);
	}
}

/* --- bodies ---------------------------------------------------------------- */

/* Can this leaf be shown as (part of) the body? A multipart whose boundary never
   comes can: what its sender wrote is in it. */
static bool is_body_text(const struct message_part *part)
{
	return !mime_part_is_attachment(part) &&
		(part->flags & MESSAGE_PART_FLAG_OVERFLOW) == 0 &&
		(mime_part_is(part, "text", "plain") ||
		 mime_part_is(part, "text", "html") ||
		 mime_part_is(part, "text", "enriched") ||
		 mime_part_is(part, "multipart", NULL));
}

static bool body_wanted(struct walk_ctx *ctx, const struct message_part *part)
{
	bool named;

	if (!is_body_text(part))
		return FALSE;
	if (array_count(&ctx->bodies) == 0)
		return TRUE;
	if (array_count(&ctx->bodies) >= MIME_MAX_BODIES)
		return FALSE;
	T_BEGIN {
		named = t_mime_part_filename(part) != NULL;
	} T_END;
	return !named;
}

static void
body_add(struct walk_ctx *ctx, const struct message_part *part,
	 const struct message_part *alternative_text)
{
	struct mime_body_part *body = array_append_space(&ctx->bodies);

	body->part = part;
	body->html = mime_part_is(part, "text", "html");
	if (body->html)
		body->alternative_text = alternative_text;
}

/* The first leaf of text/subtype below part, which can be a body */
static const struct message_part *
find_text(const struct message_part *part, const char *subtype)
{
	const struct message_part *child, *found;

	if (mime_part_is_message(part))
		return NULL;
	if (!mime_part_is_multipart(part)) {
		return is_body_text(part) &&
			mime_part_is(part, "text", subtype) ? part : NULL;
	}
	if (mime_part_is_attachment(part))
		return NULL;
	for (child = part->children; child != NULL; child = child->next) {
		found = find_text(child, subtype);
		if (found != NULL)
			return found;
	}
	return NULL;
}

/* Alternatives that aren't chosen: what they have beside text */
static void
attach_rest(struct walk_ctx *ctx, const struct message_part *part,
	    unsigned int depth)
{
	const struct message_part *child;

	if (++ctx->parts > MIME_MAX_PARTS || depth > MIME_MAX_DEPTH) {
		(void)attachment_add(ctx, part, MIME_ATTACH_ENTITY);
		return;
	}
	if (mime_part_is_multipart(part)) {
		for (child = part->children; child != NULL; child = child->next)
			attach_rest(ctx, child, depth + 1);
	} else if (!mime_part_is(part, "text", NULL) ||
		   mime_part_is_attachment(part) ||
		   mime_part_is(part, "text", "calendar")) {
		attach_leaf(ctx, part);
	}
}

static void
walk_alternative(struct walk_ctx *ctx, const struct message_part *part,
		 unsigned int depth)
{
	const struct message_part *child, *chosen = NULL, *plain = NULL;

	/* the last one is the best, [RFC2046] 5.1.4 */
	for (child = part->children; child != NULL; child = child->next) {
		if (find_text(child, "html") != NULL)
			chosen = child;
		if (plain == NULL)
			plain = find_text(child, "plain");
	}
	for (child = part->children; chosen == NULL && child != NULL;
	     child = child->next) {
		if (find_text(child, "plain") != NULL ||
		    find_text(child, "enriched") != NULL)
			chosen = child;
	}
	for (child = part->children; child != NULL; child = child->next) {
		if (child == chosen)
			walk(ctx, child, plain, depth + 1);
		else
			attach_rest(ctx, child, depth + 1);
	}
}

static const struct message_part *
related_root(const struct message_part *part)
{
	const struct message_part *child, *root = part->children;

	T_BEGIN {
		const char *start = t_mime_part_param(part, "start");

		for (child = part->children; start != NULL && child != NULL;
		     child = child->next) {
			if (child->data != NULL &&
			    child->data->content_id != NULL &&
			    strcmp(child->data->content_id, start) == 0) {
				root = child;
				break;
			}
		}
	} T_END;
	return root;
}

/* [MS-OXCMAIL] 2.2.3.4.1.4.1: which attachments bodies show themselves.
   Whether the body really refers to them isn't looked at here. */
static bool attachment_is_inline(const struct mime_attachment *att)
{
	return att->kind == MIME_ATTACH_CONTENT &&
		mime_part_is(att->part, "image", NULL) &&
		(att->content_id != NULL || att->content_location != NULL);
}

static void
walk_related(struct walk_ctx *ctx, const struct message_part *part,
	     const struct message_part *alternative_text, unsigned int depth)
{
	const struct message_part *child, *root = related_root(part);
	const struct mime_body_part *bodies;
	struct mime_attachment *atts;
	unsigned int i, first_body, first_att, count;
	bool html = FALSE;

	first_body = array_count(&ctx->bodies);
	first_att = array_count(&ctx->attachments);
	walk(ctx, root, alternative_text, depth + 1);
	bodies = array_get(&ctx->bodies, &count);
	for (i = first_body; i < count; i++) {
		if (bodies[i].html)
			html = TRUE;
	}
	for (child = part->children; child != NULL; child = child->next) {
		if (child == root)
			continue;
		if (!html || mime_part_is_multipart(child))
			walk(ctx, child, NULL, depth + 1);
		else if (++ctx->parts <= MIME_MAX_PARTS)
			attach_leaf(ctx, child);
	}
	if (!html)
		return;
	atts = array_get_modifiable(&ctx->attachments, &count);
	for (i = first_att; i < count; i++) {
		if (attachment_is_inline(&atts[i]))
			atts[i].inline_html = TRUE;
	}
}

static void
walk(struct walk_ctx *ctx, const struct message_part *part,
     const struct message_part *alternative_text, unsigned int depth)
{
	const struct message_part *child;

	if (++ctx->parts > MIME_MAX_PARTS || depth > MIME_MAX_DEPTH) {
		/* one attachment for all that's left */
		if (ctx->parts == MIME_MAX_PARTS + 1 || depth > MIME_MAX_DEPTH)
			(void)attachment_add(ctx, part, MIME_ATTACH_ENTITY);
		return;
	}
	if (!mime_part_is_multipart(part)) {
		if (body_wanted(ctx, part))
			body_add(ctx, part, alternative_text);
		else
			attach_leaf(ctx, part);
	} else if (mime_part_is(part, "multipart", "alternative")) {
		walk_alternative(ctx, part, depth);
	} else if (mime_part_is(part, "multipart", "related")) {
		walk_related(ctx, part, alternative_text, depth);
	} else if (mime_part_is(part, "multipart", "appledouble") &&
		   part->children->next != NULL) {
		/* [RFC1740]: the resource fork, which means something on old
		   Macs only, and the file */
		walk(ctx, part->children->next, NULL, depth + 1);
	} else {
		for (child = part->children; child != NULL; child = child->next)
			walk(ctx, child, alternative_text, depth + 1);
	}
}

/* --- whole messages -------------------------------------------------------- */

static void smime_set_name(struct mime_attachment *att, const char *mime_tag)
{
	att->mime_tag = mime_tag;
	att->display_name = att->long_filename = "smime.p7m";
	att->short_filename = "SMIME.P7M";
	att->extension = ".p7m";
	att->content_id = att->content_location = NULL;
}

/* [MS-OXCMAIL] 2.2.3.7: the parts of a multipart/report, [RFC6522] */
static bool
walk_report(struct walk_ctx *ctx, const struct message_part *part)
{
	struct mime_structure *structure = ctx->structure;
	const struct message_part *child;

	if (!mime_part_is_multipart(part) ||
	    !mime_part_is(part, "multipart", "report"))
		return FALSE;
	for (child = part->children; child != NULL; child = child->next) {
		if (structure->report != NULL)
			continue;
		if (mime_part_is(child, "message", "delivery-status") ||
		    mime_part_is(child, "message", "global-delivery-status"))
			structure->class = MIME_CLASS_DELIVERY_REPORT;
		else if (mime_part_is(child, "message",
				      "disposition-notification") ||
			 mime_part_is(child, "message",
				      "global-disposition-notification"))
			structure->class = MIME_CLASS_DISPOSITION_REPORT;
		else
			continue;
		structure->report = child;
	}
	if (structure->report == NULL)
		return FALSE;

	for (child = part->children; child != NULL; child = child->next) {
		if (child == structure->report)
			continue;
		if (child != part->children &&
		    structure->report_returned == NULL &&
		    (mime_part_is_message(child) ||
		     mime_part_is(child, "text", "rfc822-headers") ||
		     mime_part_is(child, "message", "global-headers")))
			structure->report_returned = child;
		walk(ctx, child, NULL, 1);
	}
	return TRUE;
}

struct mime_structure *
mime_structure_init(TALLOC_CTX *parent, const struct message_part *root)
{
	struct mime_structure *structure;
	struct mime_attachment *att;
	struct walk_ctx ctx;

	structure = mime_check_alloc(talloc_zero(parent,
						 struct mime_structure));
	structure->root = root;

	i_zero(&ctx);
	ctx.mem = structure;
	ctx.structure = structure;
	i_array_init(&ctx.bodies, 4);
	i_array_init(&ctx.attachments, 8);

	if (mime_is_opaque_smime(root)) {
		structure->class = MIME_CLASS_SMIME;
		att = attachment_add(&ctx, root, MIME_ATTACH_CONTENT);
		smime_set_name(att, att->mime_tag);
	} else if (mime_is_clear_signed_smime(root) > 0) {
		structure->class = MIME_CLASS_SMIME_SIGNED;
		/* for the body; attachments are inside of smime.p7m */
		if (root->children != NULL)
			walk(&ctx, root->children, NULL, 1);
		array_clear(&ctx.attachments);
		att = attachment_add(&ctx, root, MIME_ATTACH_ENTITY);
		smime_set_name(att, "multipart/signed");
		att->size += root->header_size.virtual_size;
	} else if (!walk_report(&ctx, root)) {
		walk(&ctx, root, NULL, 0);
	}

	structure->body_count = array_count(&ctx.bodies);
	if (structure->body_count > 0) {
		structure->bodies = mime_check_alloc(talloc_memdup(structure,
			array_front(&ctx.bodies), structure->body_count *
			sizeof(struct mime_body_part)));
	}
	structure->attachment_count = array_count(&ctx.attachments);
	if (structure->attachment_count > 0) {
		structure->attachments = mime_check_alloc(talloc_memdup(
			structure, array_front(&ctx.attachments),
			structure->attachment_count *
			sizeof(struct mime_attachment)));
	}
	array_free(&ctx.bodies);
	array_free(&ctx.attachments);
	return structure;
}

bool mime_structure_has_attachments(const struct mime_structure *structure)
{
	unsigned int i;

	for (i = 0; i < structure->attachment_count; i++) {
		if (!structure->attachments[i].inline_html)
			return TRUE;
	}
	return FALSE;
}

int mime_bodystructure_has_attachments(const char *bodystructure)
{
	struct message_part *root = NULL;
	struct mime_structure *structure;
	const char *error;
	pool_t pool;
	int ret;

	pool = pool_alloconly_create("mime bodystructure", 1024);
	T_BEGIN {
		ret = imap_bodystructure_parse_full(bodystructure, pool, &root,
						    &error);
	} T_END;
	if (ret == 0) {
		structure = mime_structure_init(NULL, root);
		ret = mime_structure_has_attachments(structure) ? 1 : 0;
		talloc_free(structure);
	}
	pool_unref(&pool);
	return ret;
}
