/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-props.h"
#include "mapi-wire.h"
#include "mapi-directory-settings.h"
#include "nspi-handlers.h"
#include "nspi-template.h"

#include <unicode/uloc.h>

/* [MS-OXNSPI] 2.2.1.14 */
#define NSPI_TI_TEMPLATE 0x00000001
#define NSPI_TI_SCRIPT 0x00000004

/* [MS-OXOABKT] 2.2.2.1.1: the type and the count of rows, and a row */
#define TROWSET_TYPE 1
#define TROWSET_SIZE 8
#define TROW_SIZE 36

/* Any character: what edit controls and lists take */
#define NSPI_ANY_CHARACTER "*"

/* [MS-LCID] 2.1: what is above the sort id must be zero */
#define LCID_RESERVED 0xFFF00000U

/* Names of templates, template-x500-dn of [MS-OXOAB] 2.1: the organisation, this,
   and as RDNs the locale and the display type in hexadecimal */
#define NSPI_TEMPLATES_DN "/cn=addressing/cn=display-templates"

/* --- encoding -------------------------------------------------------------- */

struct nspi_template_writer {
	struct mapi_push rows, strings;
	/* of the strings: the offset of the first one */
	uint32_t strings_offset;
	enum nspi_template_language language;
	uint32_t code_page;
	/* the code page has all characters so far */
	bool lossless;
};

static uint32_t nspi_template_rows(const struct nspi_template *tmpl)
{
	uint32_t count = 0;

	for (unsigned int i = 0; tmpl->pages[i] != NULL; i++)
		count += 1 + tmpl->pages[i]->controls_count;
	return count;
}

/* The offset of a string that is appended */
static uint32_t
nspi_template_write_string(struct nspi_template_writer *writer,
			   const char *str)
{
	uint32_t offset = writer->strings_offset + writer->strings.size;
	TALLOC_CTX *mem = writer->strings.mem;
	const char *str8, *back;

	str8 = mapi_codepage_from_utf8(mem, writer->code_page, str);
	i_assert(strlen(str8) < NSPI_TEMPLATE_MAX_LABEL);
	back = mapi_codepage_to_utf8(mem, writer->code_page, str8);
	if (strcmp(back, str) != 0)
		writer->lossless = FALSE;
	mapi_push_string8(&writer->strings, str8);
	return offset;
}

static uint32_t
nspi_template_write_text(struct nspi_template_writer *writer,
			 const struct nspi_control *control)
{
	switch (control->type) {
	case NSPI_CONTROL_EDIT:
	case NSPI_CONTROL_LISTBOX:
	case NSPI_CONTROL_MV_LISTBOX:
		return nspi_template_write_string(writer, NSPI_ANY_CHARACTER);
	case NSPI_CONTROL_MV_DROPDOWN:
		return 0;
	case NSPI_CONTROL_LABEL:
	case NSPI_CONTROL_CHECKBOX:
	case NSPI_CONTROL_GROUPBOX:
	case NSPI_CONTROL_BUTTON:
	case NSPI_CONTROL_PAGE:
		break;
	}
	return nspi_template_write_string(writer,
		nspi_template_label(writer->language, control->label));
}

/* [MS-OXOABKT] 2.2.2.1.2 and 2.2.2.1.3. The x position and the width come
   before those of y. */
static void
nspi_template_write_row(struct nspi_template_writer *writer,
			const struct nspi_control *control)
{
	struct mapi_push *rows = &writer->rows;

	mapi_push_u32(rows, control->x);
	mapi_push_u32(rows, control->width);
	mapi_push_u32(rows, control->y);
	mapi_push_u32(rows, control->height);
	mapi_push_u32(rows, control->type);
	mapi_push_u32(rows, control->flags);
	mapi_push_u32(rows, control->tag);
	mapi_push_u32(rows, control->max_chars);
	mapi_push_u32(rows, nspi_template_write_text(writer, control));
}

static void
nspi_template_write_page(struct nspi_template_writer *writer,
			 const struct nspi_template_page *page)
{
	struct nspi_control control = {
		.type = NSPI_CONTROL_PAGE, .label = page->label,
	};

	nspi_template_write_row(writer, &control);
	for (unsigned int i = 0; i < page->controls_count; i++)
		nspi_template_write_row(writer, &page->controls[i]);
}

static bool
nspi_template_try_encode(TALLOC_CTX *mem, const struct nspi_template *tmpl,
			 enum nspi_template_language language,
			 uint32_t code_page, struct mapi_binary *bin_r)
{
	struct nspi_template_writer writer = {
		.language = language, .code_page = code_page, .lossless = TRUE,
	};
	uint32_t count = nspi_template_rows(tmpl);

	writer.strings_offset = TROWSET_SIZE + count * TROW_SIZE;
	mapi_push_init(&writer.rows, mem, 0);
	mapi_push_init(&writer.strings, mem, 0);
	mapi_push_u32(&writer.rows, TROWSET_TYPE);
	mapi_push_u32(&writer.rows, count);
	for (unsigned int i = 0; tmpl->pages[i] != NULL; i++)
		nspi_template_write_page(&writer, tmpl->pages[i]);
	i_assert(writer.rows.size == writer.strings_offset);
	mapi_push_bytes(&writer.rows, writer.strings.data,
			writer.strings.size);
	if (!mapi_push_ok(&writer.rows) || !mapi_push_ok(&writer.strings))
		i_fatal_status(FATAL_OUTOFMEM, "talloc() failed");
	bin_r->data = writer.rows.data;
	bin_r->len = writer.rows.size;
	return writer.lossless;
}

struct mapi_binary
nspi_template_encode(TALLOC_CTX *mem, const struct nspi_template *tmpl,
		     enum nspi_template_language language, uint32_t code_page)
{
	struct mapi_binary bin;

	if (!nspi_template_try_encode(mem, tmpl, language, code_page, &bin)) {
		(void)nspi_template_try_encode(mem, tmpl, NSPI_TEMPLATE_ENGLISH,
					       code_page, &bin);
	}
	return bin;
}

/* --- selection --------------------------------------------------------------- */

bool nspi_template_language(uint32_t lcid,
			    enum nspi_template_language *language_r)
{
	UErrorCode status = U_ZERO_ERROR;
	char locale[ULOC_FULLNAME_CAPACITY], language[ULOC_LANG_CAPACITY];

	*language_r = NSPI_TEMPLATE_ENGLISH;
	if ((lcid & LCID_RESERVED) != 0)
		return FALSE;
	if (uloc_getLocaleForLCID(lcid, locale, sizeof(locale), &status) <= 0 ||
	    U_FAILURE(status))
		return FALSE;
	(void)uloc_getLanguage(locale, language, sizeof(language), &status);
	if (U_FAILURE(status))
		return FALSE;
	if (strcmp(language, "de") == 0)
		*language_r = NSPI_TEMPLATE_GERMAN;
	return TRUE;
}

/* Reads "/cn=" and a hexadecimal number of at most 8 digits. */
static bool nspi_template_parse_rdn(const char **dn, uint32_t *number_r)
{
	const char *p = *dn;
	uint32_t number = 0;
	unsigned int digits = 0;

	if (strncasecmp(p, "/cn=", 4) != 0)
		return FALSE;
	for (p += 4; i_isxdigit(*p); p++) {
		if (++digits > 8)
			return FALSE;
		number = number * 16 + (i_isdigit(*p) ? *p - '0' :
					i_tolower(*p) - 'a' + 10);
	}
	*dn = p;
	*number_r = number;
	return digits > 0;
}

static bool
nspi_template_parse_dn(const struct nspi_context *ctx, const char *dn,
		       uint32_t *lcid_r, uint32_t *display_type_r)
{
	const char *prefix = t_strconcat("/o=", ctx->set->mapi_organization,
					 NSPI_TEMPLATES_DN, NULL);
	size_t len = strlen(prefix);

	if (strncasecmp(dn, prefix, len) != 0)
		return FALSE;
	dn += len;
	return nspi_template_parse_rdn(&dn, lcid_r) &&
		nspi_template_parse_rdn(&dn, display_type_r) && *dn == '\0';
}

/* A template has no address type and no help, so it has none of these
   properties. A display template's script, of whose instructions no address is
   to be made, has none: [MS-OXOABKT] 2.2.2.2 has their count in front. */
static void
nspi_template_row(struct nspi_context *ctx, uint32_t flags,
		  const struct mapi_binary *data,
		  struct mapihttp_property_list *row_r)
{
	static const uint8_t empty_script[4] = { 0, 0, 0, 0 };
	struct mapi_property *props;

	props = talloc_zero_array(ctx->mem, struct mapi_property, 2);
	row_r->property_values = props;
	if ((flags & NSPI_TI_TEMPLATE) != 0) {
		props->tag = PIDTAG_TEMPLATE_DATA;
		props->value = mapi_value_bin(data->data, data->len);
		props++;
	}
	if ((flags & NSPI_TI_SCRIPT) != 0) {
		props->tag = PIDTAG_SCRIPT_DATA;
		props->value = mapi_value_bin(empty_script,
					      sizeof(empty_script));
		props++;
	}
	row_r->property_value_count = props - row_r->property_values;
}

/* [MS-OXNSPI] 3.1.4.1.18. A name decides instead of type and locale. */
enum mapi_error
nspi_get_template_info(struct nspi_context *ctx,
		       const struct mapihttp_get_template_info_request *req,
		       struct mapihttp_get_template_info_response *resp)
{
	uint32_t lcid = req->locale_id, display_type = req->display_type;
	enum nspi_template_language language;
	const struct nspi_template *tmpl;
	struct mapi_binary data;
	bool found = TRUE;

	if (req->code_page == NSPI_CODEPAGE_UNICODE ||
	    !mapi_codepage_is_known(req->code_page))
		return EC_INVALID_CODEPAGE;
	if (req->has_template_dn != 0) T_BEGIN {
		found = nspi_template_parse_dn(ctx, req->template_dn, &lcid,
					       &display_type);
	} T_END;
	if (!found || !nspi_template_language(lcid, &language))
		return EC_INVALID_LOCALE;
	tmpl = nspi_template_find(display_type, ctx->set->mapi_ldap_write);
	if (tmpl == NULL)
		return EC_INVALID_LOCALE;

	data = nspi_template_encode(ctx->mem, tmpl, language, req->code_page);
	resp->code_page = req->code_page;
	resp->has_row = NSPI_TRUE;
	nspi_template_row(ctx, req->flags, &data, &resp->row);
	return EC_NONE;
}
