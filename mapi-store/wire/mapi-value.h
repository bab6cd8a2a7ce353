/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_VALUE_H
#define MAPI_VALUE_H

/* MAPI property values as they are held in memory, whatever wire form they
   came by.  Everything that a value points to belongs to the talloc context
   that its maker was given.

   Strings of type PTYP_STRING are UTF-8.  An unpaired UTF-16 surrogate, which
   clients do send, is held as the three bytes that UTF-8 would use for it if
   it were a character (WTF-8), so that a value comes back as it was sent.
   Strings of type PTYP_STRING8 are bytes in whatever code page the client
   negotiated. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct mapi_restriction;
struct mapi_rule_actions;

/* [MS-OXCDATA] 2.11.1 */
enum mapi_type {
	PTYP_UNSPECIFIED	= 0x0000,
	PTYP_NULL		= 0x0001,
	PTYP_INTEGER16		= 0x0002,
	PTYP_INTEGER32		= 0x0003,
	PTYP_FLOATING32		= 0x0004,
	PTYP_FLOATING64		= 0x0005,
	PTYP_CURRENCY		= 0x0006,
	PTYP_FLOATING_TIME	= 0x0007,
	PTYP_ERROR_CODE		= 0x000A,
	PTYP_BOOLEAN		= 0x000B,
	PTYP_OBJECT		= 0x000D,
	PTYP_INTEGER64		= 0x0014,
	PTYP_STRING8		= 0x001E,
	PTYP_STRING		= 0x001F,
	PTYP_TIME		= 0x0040,
	PTYP_GUID		= 0x0048,
	PTYP_SERVER_ID		= 0x00FB,
	PTYP_RESTRICTION	= 0x00FD,
	PTYP_RULE_ACTION	= 0x00FE,
	PTYP_BINARY		= 0x0102,

	PTYP_MULTIPLE_FLAG	= 0x1000,
	PTYP_INSTANCE_FLAG	= 0x2000,

	PTYP_MULTIPLE_INTEGER16	= 0x1002,
	PTYP_MULTIPLE_INTEGER32	= 0x1003,
	PTYP_MULTIPLE_FLOATING32 = 0x1004,
	PTYP_MULTIPLE_FLOATING64 = 0x1005,
	PTYP_MULTIPLE_CURRENCY	= 0x1006,
	PTYP_MULTIPLE_FLOATING_TIME = 0x1007,
	PTYP_MULTIPLE_INTEGER64	= 0x1014,
	PTYP_MULTIPLE_STRING8	= 0x101E,
	PTYP_MULTIPLE_STRING	= 0x101F,
	PTYP_MULTIPLE_TIME	= 0x1040,
	PTYP_MULTIPLE_GUID	= 0x1048,
	PTYP_MULTIPLE_BINARY	= 0x1102,
};

/* A property tag is (property id << 16 | type). */
#define MAPI_TAG(id, type) (((uint32_t)(id) << 16) | (uint16_t)(type))
#define MAPI_TAG_ID(tag) ((uint16_t)((uint32_t)(tag) >> 16))
#define MAPI_TAG_TYPE(tag) ((uint16_t)((tag) & 0xffff))
/* the same property with another type */
#define MAPI_TAG_AS(tag, type) (((uint32_t)(tag) & 0xffff0000U) | (uint16_t)(type))
/* named properties have ids from here on, [MS-OXCDATA] 2.9 */
#define MAPI_NAMED_PROPERTY_ID_MIN 0x8000
#define MAPI_TAG_IS_NAMED(tag) (MAPI_TAG_ID(tag) >= MAPI_NAMED_PROPERTY_ID_MIN)

/* A GUID in its wire byte order (first three fields little-endian). */
struct mapi_guid {
	uint8_t bytes[16];
};

struct mapi_binary {
	uint32_t len;
	const uint8_t *data;
};

/* A folder or message id, or a change number: a 16-bit replica id and a
   48-bit GLOBCNT.  On the wire it is the replica id little-endian, then the
   GLOBCNT big-endian; in memory one number, in which ids of one replica order
   as their GLOBCNTs do. [MS-OXCDATA] 2.2.1.1 */
typedef uint64_t mapi_id_t;
#define MAPI_ID(replid, globcnt) \
	(((uint64_t)(globcnt) << 16) | (uint16_t)(replid))
#define MAPI_ID_REPLID(id) ((uint16_t)((id) & 0xffff))
#define MAPI_ID_GLOBCNT(id) ((uint64_t)(id) >> 16)
#define MAPI_GLOBCNT_MAX 0xffffffffffffULL

/* A property value.  type is the property type without PTYP_INSTANCE_FLAG;
   PTYP_ERROR_CODE with an error code in u.error stands for a value that could
   not be had (see [MS-OXCDATA] 2.11.5). */
struct mapi_value {
	uint16_t type;
	union {
		int16_t i16;
		int32_t i32;
		float f32;
		double f64;		/* PTYP_FLOATING64, PTYP_FLOATING_TIME */
		int64_t i64;		/* PTYP_INTEGER64, PTYP_CURRENCY */
		uint64_t time;		/* 100 ns since 1601-01-01 UTC */
		bool b;
		uint32_t error;
		const char *str;	/* PTYP_STRING */
		const char *str8;	/* PTYP_STRING8 */
		struct mapi_guid guid;
		/* PTYP_BINARY, PTYP_SERVER_ID (without its size), PTYP_OBJECT */
		struct mapi_binary bin;
		struct mapi_restriction *restriction;
		struct mapi_rule_actions *actions;
		struct {
			uint32_t count;
			union {
				int16_t *i16;
				int32_t *i32;
				float *f32;
				double *f64;
				int64_t *i64;
				uint64_t *time;
				const char **str;
				const char **str8;
				struct mapi_guid *guid;
				struct mapi_binary *bin;
				void *any;
			} v;
		} mv;
	} u;
};

struct mapi_property {
	uint32_t tag;
	struct mapi_value value;
};

/* [MS-OXCDATA] 2.6.1 */
enum mapi_name_kind {
	MAPI_NAME_LID		= 0x00,
	MAPI_NAME_STRING	= 0x01,
	MAPI_NAME_NONE		= 0xFF,
};
struct mapi_property_name {
	enum mapi_name_kind kind;
	struct mapi_guid guid;
	uint32_t lid;		/* MAPI_NAME_LID */
	const char *name;	/* MAPI_NAME_STRING: UTF-8 */
};

/* A row of a table or an object's properties in the order of columns.
   columns may have the types PTYP_UNSPECIFIED (the value says its type) and
   PTYP_INSTANCE_FLAG set.  It is encoded as a StandardPropertyRow where no
   value is PTYP_ERROR_CODE, else as a FlaggedPropertyRow.
   [MS-OXCDATA] 2.8.1 */
struct mapi_property_row {
	uint32_t count;
	const uint32_t *columns;
	struct mapi_value *values;
};

/* Unix time (seconds, nanoseconds) <-> PTYP_TIME.  Times before 1601 or after
   what 63 bits hold are clamped. */
uint64_t mapi_time_from_unix(int64_t sec, uint32_t nsec);
int64_t mapi_time_to_unix(uint64_t filetime);

/* Whether it's one of the types of [MS-OXCDATA] 2.11.1, PtypUnspecified and
   PtypErrorCode among them. Without PTYP_INSTANCE_FLAG. */
bool mapi_type_is_known(uint16_t type);
/* Whether it's one of those with several values. */
bool mapi_type_is_multiple(uint16_t type);

/* What is called for each property that a restriction or rule actions name: its
   tag, and the value that is said of it, NULL if there's none. Both may be
   changed. */
typedef void mapi_property_walk_t(uint32_t *tag, struct mapi_value *value,
				  void *context);
/* For restrictions and rule actions that are values. */
void mapi_value_walk(struct mapi_value *value, mapi_property_walk_t *func,
		     void *context);

/* TRUE if both values have the same type and are equal bit for bit. */
bool mapi_value_equal(const struct mapi_value *a, const struct mapi_value *b);
/* Deep copy into mem; false if out of memory. */
bool mapi_value_copy(TALLOC_CTX *mem, struct mapi_value *dest,
		     const struct mapi_value *src);
/* Size in bytes of the value itself, as [MS-OXCDATA] 2.12.8 (size restriction)
   and PidTagMessageSize count it: strings as UTF-16 with their NUL. */
size_t mapi_value_size(const struct mapi_value *value);

static inline struct mapi_value mapi_value_error(uint32_t error)
{
	struct mapi_value v = { .type = PTYP_ERROR_CODE };
	v.u.error = error;
	return v;
}
static inline struct mapi_value mapi_value_i32(int32_t i)
{
	struct mapi_value v = { .type = PTYP_INTEGER32 };
	v.u.i32 = i;
	return v;
}
static inline struct mapi_value mapi_value_i64(int64_t i)
{
	struct mapi_value v = { .type = PTYP_INTEGER64 };
	v.u.i64 = i;
	return v;
}
static inline struct mapi_value mapi_value_bool(bool b)
{
	struct mapi_value v = { .type = PTYP_BOOLEAN };
	v.u.b = b;
	return v;
}
static inline struct mapi_value mapi_value_time(uint64_t filetime)
{
	struct mapi_value v = { .type = PTYP_TIME };
	v.u.time = filetime;
	return v;
}
/* str is not copied */
static inline struct mapi_value mapi_value_str(const char *str)
{
	struct mapi_value v = { .type = PTYP_STRING };
	v.u.str = str;
	return v;
}
/* data is not copied */
static inline struct mapi_value mapi_value_bin(const void *data, uint32_t len)
{
	struct mapi_value v = { .type = PTYP_BINARY };
	v.u.bin.len = len;
	v.u.bin.data = (const uint8_t *)data;
	return v;
}

#endif
