/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-print.h"
#include "mapi-restriction.h"
#include "mapi-rule.h"
#include "mapi-recipient.h"
#include "mapi-property-info.h"

#include <stdarg.h>
#include <string.h>

/* Longer strings, binaries and lists are cut: a log line is for reading. */
#define MAX_STRING 120
#define MAX_BINARY 48
#define MAX_LIST 32

void mapi_print(char **str, const char *fmt, ...)
{
	va_list args;
	char *s;

	if (*str == NULL)
		return;
	va_start(args, fmt);
	s = talloc_vasprintf_append_buffer(*str, fmt, args);
	va_end(args);
	if (s != NULL)
		*str = s;
}

void mapi_print_string(char **str, const char *value)
{
	char buf[MAX_STRING * 4 + 1], *p = buf;
	unsigned int i;

	if (value == NULL) {
		mapi_print(str, "NULL");
		return;
	}
	for (i = 0; i < MAX_STRING && value[i] != '\0'; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
			*p++ = '\\';
			*p++ = (char)('0' + (c >> 6));
			*p++ = (char)('0' + ((c >> 3) & 7));
			*p++ = (char)('0' + (c & 7));
		} else {
			*p++ = (char)c;
		}
	}
	*p = '\0';
	mapi_print(str, "\"%s\"%s", buf, value[i] != '\0' ? "..." : "");
}

void mapi_print_binary(char **str, const uint8_t *data, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	char buf[MAX_BINARY * 2 + 1], *p = buf;
	size_t i;

	for (i = 0; i < size && i < MAX_BINARY && data != NULL; i++) {
		*p++ = hex[data[i] >> 4];
		*p++ = hex[data[i] & 0x0f];
	}
	*p = '\0';
	mapi_print(str, "<%zu:%s%s>", size, buf, i < size ? "..." : "");
}

void mapi_print_guid(char **str, const struct mapi_guid *guid)
{
	char buf[MAPI_GUID_STRING_SIZE];

	mapi_print(str, "{%s}", mapi_guid_format(guid, buf));
}

void mapi_print_id(char **str, mapi_id_t id)
{
	mapi_print(str, "%u:0x%llx", MAPI_ID_REPLID(id),
		   (unsigned long long)MAPI_ID_GLOBCNT(id));
}

void mapi_print_tag(char **str, uint32_t tag)
{
	const struct mapi_property_info *info;

	info = MAPI_TAG_IS_NAMED(tag) ? NULL :
		mapi_property_info_by_id(MAPI_TAG_ID(tag));
	if (info == NULL)
		mapi_print(str, "0x%08x", tag);
	else if (info->tag == tag)
		mapi_print(str, "%s", info->name);
	else
		mapi_print(str, "%s(0x%04x)", info->name, MAPI_TAG_TYPE(tag));
}

void mapi_print_property(char **str, const struct mapi_property *prop)
{
	mapi_print_tag(str, prop->tag);
	mapi_print(str, "=");
	mapi_value_print(str, &prop->value);
}

void mapi_print_error(char **str, uint32_t code)
{
	const char *name = mapi_error_name(code);

	if (name != NULL)
		mapi_print(str, "%s", name);
	else
		mapi_print(str, "error 0x%08x", code);
}

void mapi_print_property_name(char **str, const struct mapi_property_name *name)
{
	const struct mapi_named_property_info *info =
		mapi_named_property_info_find(name);

	if (info != NULL) {
		mapi_print(str, "%s", info->name);
		return;
	}
	mapi_print_guid(str, &name->guid);
	if (name->kind == MAPI_NAME_LID)
		mapi_print(str, ":0x%04x", name->lid);
	else if (name->kind == MAPI_NAME_STRING) {
		mapi_print(str, ":");
		mapi_print_string(str, name->name);
	}
}

void mapi_print_property_row(char **str, const struct mapi_property_row *row)
{
	uint32_t i;

	mapi_print(str, "{");
	for (i = 0; i < row->count; i++) {
		if (i > 0)
			mapi_print(str, " ");
		mapi_print_tag(str, row->columns[i]);
		mapi_print(str, "=");
		mapi_value_print(str, &row->values[i]);
	}
	mapi_print(str, "}");
}

static void print_rule_actions(char **str,
			       const struct mapi_rule_actions *actions)
{
	uint32_t i;

	mapi_print(str, "ACTIONS(");
	for (i = 0; actions != NULL && i < actions->count; i++) {
		mapi_print(str, "%s0x%02x/0x%x", i > 0 ? " " : "",
			   actions->actions[i].type,
			   actions->actions[i].flavor);
	}
	mapi_print(str, ")");
}

static void print_multiple(char **str, const struct mapi_value *value)
{
	uint32_t i;

	mapi_print(str, "[");
	for (i = 0; i < value->u.mv.count && i < MAX_LIST; i++) {
		struct mapi_value v;

		if (i > 0)
			mapi_print(str, " ");
		memset(&v, 0, sizeof(v));
		v.type = value->type & (uint16_t)~PTYP_MULTIPLE_FLAG;
		switch (v.type) {
		case PTYP_INTEGER16:
			v.u.i16 = value->u.mv.v.i16[i];
			break;
		case PTYP_INTEGER32:
			v.u.i32 = value->u.mv.v.i32[i];
			break;
		case PTYP_FLOATING32:
			v.u.f32 = value->u.mv.v.f32[i];
			break;
		case PTYP_STRING:
		case PTYP_STRING8:
			v.u.str = value->u.mv.v.str[i];
			break;
		case PTYP_GUID:
			v.u.guid = value->u.mv.v.guid[i];
			break;
		case PTYP_BINARY:
			v.u.bin = value->u.mv.v.bin[i];
			break;
		default:
			v.u.i64 = value->u.mv.v.i64[i];
			break;
		}
		mapi_value_print(str, &v);
	}
	if (i < value->u.mv.count)
		mapi_print(str, " ...%u", value->u.mv.count);
	mapi_print(str, "]");
}

void mapi_value_print(char **str, const struct mapi_value *value)
{
	if ((value->type & PTYP_MULTIPLE_FLAG) != 0) {
		print_multiple(str, value);
		return;
	}
	switch (value->type) {
	case PTYP_INTEGER16:
		mapi_print(str, "%d", value->u.i16);
		break;
	case PTYP_INTEGER32:
		mapi_print(str, "%d", value->u.i32);
		break;
	case PTYP_FLOATING32:
		mapi_print(str, "%g", (double)value->u.f32);
		break;
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
		mapi_print(str, "%g", value->u.f64);
		break;
	case PTYP_ERROR_CODE:
		mapi_print_error(str, value->u.error);
		break;
	case PTYP_BOOLEAN:
		mapi_print(str, "%s", value->u.b ? "true" : "false");
		break;
	case PTYP_CURRENCY:
	case PTYP_INTEGER64:
		mapi_print(str, "0x%llx", (unsigned long long)value->u.i64);
		break;
	case PTYP_TIME:
		mapi_print(str, "@%lld",
			   (long long)mapi_time_to_unix(value->u.time));
		break;
	case PTYP_STRING:
	case PTYP_STRING8:
		mapi_print_string(str, value->u.str);
		break;
	case PTYP_GUID:
		mapi_print_guid(str, &value->u.guid);
		break;
	case PTYP_SERVER_ID:
	case PTYP_BINARY:
	case PTYP_OBJECT:
		mapi_print_binary(str, value->u.bin.data, value->u.bin.len);
		break;
	case PTYP_RESTRICTION:
		mapi_restriction_print(str, value->u.restriction);
		break;
	case PTYP_RULE_ACTION:
		print_rule_actions(str, value->u.actions);
		break;
	case PTYP_NULL:
		mapi_print(str, "absent");
		break;
	default:
		mapi_print(str, "type 0x%04x", value->type);
		break;
	}
}

static const char *relop_name(uint8_t relop)
{
	static const char *const names[] = { "<", "<=", ">", ">=", "==", "!=" };

	return relop < sizeof(names) / sizeof(names[0]) ? names[relop] :
		(relop == RELOP_MEMBER_OF_DL ? "memberof" : "?");
}

static void print_comment(char **str, const struct mapi_restriction *res)
{
	unsigned int i;

	mapi_print(str, "COMMENT(");
	for (i = 0; i < res->u.comment.count; i++) {
		mapi_print_property(str, &res->u.comment.values[i]);
		mapi_print(str, " ");
	}
	if (res->u.comment.child != NULL)
		mapi_restriction_print(str, res->u.comment.child);
	mapi_print(str, ")");
}

void mapi_restriction_print(char **str, const struct mapi_restriction *res)
{
	static const char *const fuzzy[] = { "is", "contains", "starts" };
	uint32_t i;

	if (res == NULL) {
		mapi_print(str, "NONE");
		return;
	}
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		mapi_print(str, res->type == RES_AND ? "AND(" : "OR(");
		for (i = 0; i < res->u.list.count; i++) {
			if (i > 0)
				mapi_print(str, ", ");
			mapi_restriction_print(str, &res->u.list.items[i]);
		}
		mapi_print(str, ")");
		break;
	case RES_NOT:
		mapi_print(str, "NOT ");
		mapi_restriction_print(str, res->u.child);
		break;
	case RES_CONTENT:
		mapi_print_tag(str, res->u.content.tag);
		mapi_print(str, " %s/0x%x ", res->u.content.fuzzy_low < 3 ?
			   fuzzy[res->u.content.fuzzy_low] : "?",
			   res->u.content.fuzzy_high);
		mapi_value_print(str, &res->u.content.value.value);
		break;
	case RES_PROPERTY:
		mapi_print_tag(str, res->u.property.tag);
		mapi_print(str, " %s ", relop_name(res->u.property.relop));
		mapi_value_print(str, &res->u.property.value.value);
		break;
	case RES_COMPAREPROPS:
		mapi_print_tag(str, res->u.compare.tag1);
		mapi_print(str, " %s ", relop_name(res->u.compare.relop));
		mapi_print_tag(str, res->u.compare.tag2);
		break;
	case RES_BITMASK:
		mapi_print_tag(str, res->u.bitmask.tag);
		mapi_print(str, " & 0x%x %s 0", res->u.bitmask.mask,
			   res->u.bitmask.relop == BMR_EQZ ? "==" : "!=");
		break;
	case RES_SIZE:
		mapi_print(str, "SIZE ");
		mapi_print_tag(str, res->u.size.tag);
		mapi_print(str, " %s %u", relop_name(res->u.size.relop),
			   res->u.size.size);
		break;
	case RES_EXIST:
		mapi_print(str, "EXIST ");
		mapi_print_tag(str, res->u.exist.tag);
		break;
	case RES_SUBRESTRICTION:
		mapi_print(str, "SUB ");
		mapi_print_tag(str, res->u.sub.tag);
		mapi_print(str, "(");
		mapi_restriction_print(str, res->u.sub.child);
		mapi_print(str, ")");
		break;
	case RES_COMMENT:
		print_comment(str, res);
		break;
	case RES_COUNT:
		mapi_print(str, "COUNT %u(", res->u.count.count);
		mapi_restriction_print(str, res->u.count.child);
		mapi_print(str, ")");
		break;
	case RES_NULL:
		mapi_print(str, "NULL");
		break;
	default:
		mapi_print(str, "restriction 0x%02x", res->type);
		break;
	}
}

static void print_optional(char **str, const char *name, const char *value)
{
	if (value == NULL)
		return;
	mapi_print(str, " %s=", name);
	mapi_print_string(str, value);
}

void mapi_recipient_row_print(char **str, const struct mapi_recipient_row *row)
{
	mapi_print(str, "{flags=0x%04x", row->flags);
	print_optional(str, "dn", row->x500dn);
	print_optional(str, "type", row->address_type);
	print_optional(str, "email", row->email_address);
	print_optional(str, "name", row->display_name);
	print_optional(str, "simple", row->simple_display_name);
	print_optional(str, "transmittable", row->transmittable_display_name);
	mapi_print(str, " ");
	mapi_print_property_row(str, &row->properties);
	mapi_print(str, "}");
}
