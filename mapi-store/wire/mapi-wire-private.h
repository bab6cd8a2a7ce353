/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_WIRE_PRIVATE_H
#define MAPI_WIRE_PRIVATE_H

/* Tables that describe structs to the codecs of wire-struct.c. They are
   generated. */

#include "mapi-wire.h"
#include "mapi-property-info.h"
#include "rop-codec.h"
#include "mapihttp-codec.h"

enum wire_type {
	WIRE_U8,
	WIRE_U16,
	WIRE_U32,
	WIRE_U64,
	WIRE_ID,
	WIRE_GLOBCNT,
	WIRE_GUID,
	WIRE_TAG,
	WIRE_BYTES,
	WIRE_STRING8,
	WIRE_STRING8_REST,	/* what is left of the sized region */
	WIRE_UTF16,
	WIRE_STRZ,		/* UTF16 or STRING8, as a flag says */
	WIRE_TYPED_STRING,
	WIRE_PROPERTY_NAME,
	WIRE_SORT_ORDER,
	WIRE_LONG_TERM_ID,
	WIRE_TAGGED_VALUE,
	WIRE_PROPERTY_ROW,
	WIRE_RECIPIENT_ROW,
	WIRE_SIZED_BINARY,
	WIRE_RESTRICTION,
	WIRE_STRUCT,
};

enum wire_array {
	WIRE_SINGLE = 0,
	WIRE_FIXED,		/* count elements, inside the struct */
	WIRE_COUNTED,		/* pointer; a field before it has the count */
	WIRE_REST,		/* pointer; up to the end of the region */
};

/* In which cases a field is there */
enum wire_when {
	WIRE_WHEN_SUCCESS = 1,
	WIRE_WHEN_FAILURE = 2,
	/* the status is wire_struct.special_status */
	WIRE_WHEN_SPECIAL = 4,
};

struct wire_field {
	const char *name;
	uint8_t type;
	uint8_t array;
	/* enum wire_when bits; 0 = always */
	uint8_t when;
	/* this number is the size of so many fields after it */
	uint8_t span;
	/* width of the count field */
	uint8_t count_width;
	/* least bytes that an element takes on the wire */
	uint8_t elem_min;
	/* the member is a pointer to the thing, NULL if its region is empty */
	bool pointer;
	uint16_t offset;
	/* FIXED: number of elements; else offset of the count */
	uint16_t count;
	/* STRZ: offset of the flag */
	uint16_t flag;
	uint16_t elem_size;
	const struct wire_struct *sub;
	bool (*cond)(const void *v, const struct rop_wire_context *ctx);
};

struct wire_struct {
	const char *name;
	uint16_t size;
	uint16_t count;
	const struct wire_field *fields;
	/* the layout depends on the status, a uint32_t at that offset */
	bool has_status;
	uint16_t status;
	uint32_t special_status;
};

/* Reads a struct. Restrictions in regions of their own that fail to parse give
   *soft_error_r and are NULL; everything else puts the pull into failed
   state. */
bool wire_pull_struct(struct mapi_pull *pull, const struct wire_struct *type,
		      const struct rop_wire_context *ctx, void *v,
		      enum mapi_error *soft_error_r);
bool wire_push_struct(struct mapi_push *push, const struct wire_struct *type,
		      const struct rop_wire_context *ctx, const void *v);
/* Appends " Name=value .." to *str. */
void wire_print_struct(char **str, const struct wire_struct *type,
		       const struct rop_wire_context *ctx, const void *v);

/* Is the field there, given those before it? */
bool wire_field_present(const struct wire_struct *type,
			const struct wire_field *field,
			const struct rop_wire_context *ctx, const void *v);
/* number of elements of an array */
uint32_t wire_field_count(const struct wire_field *field, const void *v);
/* WIRE_STRZ: is it Unicode? */
bool wire_field_flag(const struct wire_field *field, const void *v);

/* Conditions of NotificationData, [MS-OXCNOTIF] 2.2.1.4.1.2 */
#define NOTIF_TYPE(flags) ((flags) & 0x0fff)
#define NOTIF_S(flags) ((flags) & 0x4000)
#define NOTIF_M(flags) ((flags) & 0x8000)
#define NOTIF_HAS_ROW(flags, event) \
	(NOTIF_TYPE(flags) == 0x100 && (event) >= 3 && (event) <= 5)
#define NOTIF_HAS_ROW_DATA(flags, event) \
	(NOTIF_TYPE(flags) == 0x100 && ((event) == 3 || (event) == 5))
#define NOTIF_HAS_OBJECT(flags) \
	(NOTIF_TYPE(flags) != 0x100 && NOTIF_TYPE(flags) != 0x400)

/* An auxiliary block's fields as "Name:type " each, for the printer. Strings
   and bytes are where a field of the name with "Offset" says. */
struct mapi_aux_layout {
	uint8_t type, version;
	const char *name;
	const char *fields;
};
extern const struct mapi_aux_layout mapi_aux_layouts[];
extern const unsigned int mapi_aux_layouts_count;

extern const struct rop_codec rop_codecs[256];
extern const struct mapihttp_codec mapihttp_codecs[];
extern const unsigned int mapihttp_codecs_count;

/* sorted by property id */
extern const struct mapi_property_info mapi_property_infos[];
extern const unsigned int mapi_property_infos_count;
/* sorted by set (bytes), kind, LID, string without regard to case */
extern const struct mapi_named_property_info mapi_named_property_infos[];
extern const unsigned int mapi_named_property_infos_count;

#endif
