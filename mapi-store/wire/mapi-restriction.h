/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RESTRICTION_H
#define MAPI_RESTRICTION_H

/* Restrictions ([MS-OXCDATA] 2.12) and sort orders (2.13): what a table may be
   asked for. */

#include "mapi-wire.h"

enum mapi_restriction_type {
	RES_AND			= 0x00,
	RES_OR			= 0x01,
	RES_NOT			= 0x02,
	RES_CONTENT		= 0x03,
	RES_PROPERTY		= 0x04,
	RES_COMPAREPROPS	= 0x05,
	RES_BITMASK		= 0x06,
	RES_SIZE		= 0x07,
	RES_EXIST		= 0x08,
	RES_SUBRESTRICTION	= 0x09,
	RES_COMMENT		= 0x0A,
	RES_COUNT		= 0x0B,
	/* no restriction at all; some clients write it */
	RES_NULL		= 0xFF,
};

/* FuzzyLevelLow */
enum mapi_fuzzy_low {
	FL_FULLSTRING	= 0x0000,
	FL_SUBSTRING	= 0x0001,
	FL_PREFIX	= 0x0002,
};
/* FuzzyLevelHigh, bits */
enum mapi_fuzzy_high {
	FL_IGNORECASE		= 0x0001,
	FL_IGNORENONSPACE	= 0x0002,
	FL_LOOSE		= 0x0004,
};

enum mapi_relop {
	RELOP_LT		= 0x00,
	RELOP_LE		= 0x01,
	RELOP_GT		= 0x02,
	RELOP_GE		= 0x03,
	RELOP_EQ		= 0x04,
	RELOP_NE		= 0x05,
	RELOP_MEMBER_OF_DL	= 0x64,
};

/* BitmapRelOp */
enum mapi_bitmap_relop {
	BMR_EQZ	= 0x00,	/* (value & mask) == 0 */
	BMR_NEZ	= 0x01,
};

struct mapi_restriction {
	enum mapi_restriction_type type;
	union {
		/* RES_AND, RES_OR: count may be 0 */
		struct {
			uint32_t count;
			struct mapi_restriction *items;
		} list;
		/* RES_NOT */
		struct mapi_restriction *child;
		/* RES_CONTENT: strings or binaries. value.tag has the type of
		   the value, which for multi-valued properties isn't tag's. */
		struct {
			uint16_t fuzzy_low;	/* FL_FULLSTRING.. */
			uint16_t fuzzy_high;	/* FL_IGNORECASE.. */
			uint32_t tag;
			struct mapi_property value;
		} content;
		/* RES_PROPERTY */
		struct {
			uint8_t relop;
			uint32_t tag;
			struct mapi_property value;
		} property;
		/* RES_COMPAREPROPS */
		struct {
			uint8_t relop;
			uint32_t tag1, tag2;
		} compare;
		/* RES_BITMASK */
		struct {
			uint8_t relop;		/* BMR_* */
			uint32_t tag;
			uint32_t mask;
		} bitmask;
		/* RES_SIZE */
		struct {
			uint8_t relop;
			uint32_t tag;
			uint32_t size;		/* see mapi_value_size() */
		} size;
		/* RES_EXIST */
		struct {
			uint32_t tag;
		} exist;
		/* RES_SUBRESTRICTION: tag is PidTagMessageRecipients
		   (0x0E12000D) or PidTagMessageAttachments (0x0E13000D) */
		struct {
			uint32_t tag;
			struct mapi_restriction *child;
		} sub;
		/* RES_COMMENT: values annotate, child (may be NULL) decides */
		struct {
			uint8_t count;
			struct mapi_property *values;
			struct mapi_restriction *child;
		} comment;
		/* RES_COUNT: at most count rows match child */
		struct {
			uint32_t count;
			struct mapi_restriction *child;
		} count;
	} u;
};

/* In the form that the pull is set to. The result is a tree on pull->mem, NULL
   on failure: MAPI_WIRE_TOO_DEEP if it nests more than MAPI_WIRE_MAX_DEPTH
   levels, MAPI_WIRE_INVALID for an unknown type. In MAPI_WIRE_ADDRESSBOOK form
   a tagged value may or may not have a presence byte 0xFF before it, as clients
   differ there. (No property type has that for its low byte.) It is written
   without, as the specification has it. */
struct mapi_restriction *mapi_pull_restriction(struct mapi_pull *pull);
bool mapi_push_restriction(struct mapi_push *push,
			   const struct mapi_restriction *res);
/* NULLs are equal to each other only */
bool mapi_restriction_equal(const struct mapi_restriction *a,
			    const struct mapi_restriction *b);
/* Deep copy; NULL if out of memory (or res is NULL). */
struct mapi_restriction *
mapi_restriction_copy(TALLOC_CTX *mem, const struct mapi_restriction *res);
/* Calls func for each property that res (may be NULL) names, also in values that
   are restrictions themselves. */
void mapi_restriction_walk(struct mapi_restriction *res,
			   mapi_property_walk_t *func, void *context);
/* Appends "AND(0x0037001f contains "x", ...)" to *str (a talloc string). */
void mapi_restriction_print(char **str, const struct mapi_restriction *res);

/* --- sort orders ---------------------------------------------------------- */

enum mapi_sort_direction {
	MAPI_SORT_ASCENDING		= 0x00,
	MAPI_SORT_DESCENDING		= 0x01,
	/* The category before this column is ordered by the greatest value of
	   the column in it. */
	MAPI_SORT_MAXIMUM_CATEGORY	= 0x04,
	/* likewise by the least; MAPI's TABLE_SORT_CATEG_MIN */
	MAPI_SORT_MINIMUM_CATEGORY	= 0x08,
};

struct mapi_sort_order {
	uint32_t tag;		/* may have PTYP_INSTANCE_FLAG */
	uint8_t order;
};

/* SortOrderSet, [MS-OXCDATA] 2.13.2 */
struct mapi_sort_order_set {
	uint16_t count, categorized_count, expanded_count;
	struct mapi_sort_order *orders;
};
bool mapi_pull_sort_order_set(struct mapi_pull *pull,
			      struct mapi_sort_order_set *set_r);
bool mapi_push_sort_order_set(struct mapi_push *push,
			      const struct mapi_sort_order_set *set);

#endif
