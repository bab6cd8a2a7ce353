/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire-random-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_DEPTH 4

uint64_t wire_random_seed(void)
{
	const char *env = getenv("TEST_SEED");
	struct timespec ts;
	uint64_t seed;

	if (env != NULL)
		seed = strtoull(env, NULL, 0);
	else {
		clock_gettime(CLOCK_REALTIME, &ts);
		seed = (uint64_t)ts.tv_sec * 1000000000ULL +
			(uint64_t)ts.tv_nsec;
	}
	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

void wire_random_init(struct wire_random *rnd, TALLOC_CTX *mem, uint64_t seed)
{
	memset(rnd, 0, sizeof(*rnd));
	rnd->state = seed;
	rnd->mem = mem;
	rnd->depth = MAX_DEPTH;
}

/* splitmix64 */
uint64_t wire_random_u64(struct wire_random *rnd)
{
	uint64_t z = rnd->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

unsigned int wire_random_below(struct wire_random *rnd, unsigned int limit)
{
	return (unsigned int)(wire_random_u64(rnd) % limit);
}

unsigned int wire_random_count(struct wire_random *rnd)
{
	return wire_random_below(rnd, 8) == 0 ? wire_random_below(rnd, 40) :
		wire_random_below(rnd, 4);
}

static char *put_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		*p++ = (char)c;
	} else if (c < 0x800) {
		*p++ = (char)(0xc0 | (c >> 6));
		*p++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*p++ = (char)(0xe0 | (c >> 12));
		*p++ = (char)(0x80 | ((c >> 6) & 0x3f));
		*p++ = (char)(0x80 | (c & 0x3f));
	} else {
		*p++ = (char)(0xf0 | (c >> 18));
		*p++ = (char)(0x80 | ((c >> 12) & 0x3f));
		*p++ = (char)(0x80 | ((c >> 6) & 0x3f));
		*p++ = (char)(0x80 | (c & 0x3f));
	}
	return p;
}

const char *wire_random_utf8(struct wire_random *rnd, unsigned int max_len)
{
	unsigned int len = wire_random_below(rnd, max_len + 1), i;
	uint32_t limits[] = { 0x80, 0x100, 0x800, 0x10000, 0x110000 };
	char *str = talloc_array(rnd->mem, char, len * 4 + 1), *p = str;
	uint32_t limit = limits[wire_random_below(rnd, 5)], c, last = 0;

	for (i = 0; i < len; i++) {
		c = 1 + wire_random_below(rnd, limit - 1);
		/* A pair of surrogates would come back as one character. */
		if (c >= 0xdc00 && c < 0xe000 &&
		    last >= 0xd800 && last < 0xdc00)
			c = 'x';
		p = put_utf8(p, c);
		last = c;
	}
	*p = '\0';
	return str;
}

const char *wire_random_string8(struct wire_random *rnd, unsigned int max_len)
{
	unsigned int len = wire_random_below(rnd, max_len + 1), i;
	char *str = talloc_array(rnd->mem, char, len + 1);

	for (i = 0; i < len; i++)
		str[i] = (char)(1 + wire_random_below(rnd, 255));
	str[len] = '\0';
	return str;
}

void wire_random_bytes(struct wire_random *rnd, uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (uint8_t)wire_random_u64(rnd);
}

const uint8_t *wire_random_data(struct wire_random *rnd, size_t size)
{
	uint8_t *data = talloc_array(rnd->mem, uint8_t, size + 1);

	wire_random_bytes(rnd, data, size);
	return data;
}

void wire_random_binary(struct wire_random *rnd, struct mapi_binary *bin_r)
{
	bin_r->len = wire_random_count(rnd);
	bin_r->data = wire_random_data(rnd, bin_r->len);
}

mapi_id_t wire_random_id(struct wire_random *rnd)
{
	return MAPI_ID(wire_random_u64(rnd),
		       wire_random_u64(rnd) & MAPI_GLOBCNT_MAX);
}

uint16_t wire_random_type(struct wire_random *rnd)
{
	static const uint16_t types[] = {
		PTYP_INTEGER16, PTYP_INTEGER32, PTYP_FLOATING32,
		PTYP_FLOATING64, PTYP_CURRENCY, PTYP_FLOATING_TIME,
		PTYP_ERROR_CODE, PTYP_BOOLEAN, PTYP_INTEGER64, PTYP_STRING8,
		PTYP_STRING, PTYP_TIME, PTYP_GUID, PTYP_SERVER_ID,
		PTYP_BINARY, PTYP_MULTIPLE_INTEGER16, PTYP_MULTIPLE_INTEGER32,
		PTYP_MULTIPLE_FLOATING32, PTYP_MULTIPLE_FLOATING64,
		PTYP_MULTIPLE_CURRENCY, PTYP_MULTIPLE_FLOATING_TIME,
		PTYP_MULTIPLE_INTEGER64, PTYP_MULTIPLE_STRING8,
		PTYP_MULTIPLE_STRING, PTYP_MULTIPLE_TIME, PTYP_MULTIPLE_GUID,
		PTYP_MULTIPLE_BINARY, PTYP_OBJECT, PTYP_NULL,
		/* only where there's depth left */
		PTYP_RESTRICTION, PTYP_RULE_ACTION,
	};
	unsigned int count = sizeof(types) / sizeof(types[0]);

	return types[wire_random_below(rnd, rnd->depth > 0 ? count :
				       count - 2)];
}

static void random_multiple(struct wire_random *rnd, struct mapi_value *value)
{
	uint32_t count = wire_random_count(rnd), i;
	TALLOC_CTX *mem = rnd->mem;

	value->u.mv.count = count;
	switch (value->type) {
	case PTYP_MULTIPLE_INTEGER16:
		value->u.mv.v.any = talloc_array(mem, int16_t, count + 1);
		wire_random_bytes(rnd, value->u.mv.v.any, count * 2);
		break;
	case PTYP_MULTIPLE_INTEGER32:
		value->u.mv.v.any = talloc_array(mem, int32_t, count + 1);
		wire_random_bytes(rnd, value->u.mv.v.any, count * 4);
		break;
	case PTYP_MULTIPLE_FLOATING32:
		value->u.mv.v.f32 = talloc_array(mem, float, count + 1);
		for (i = 0; i < count; i++)
			value->u.mv.v.f32[i] =
				(float)wire_random_below(rnd, 99);
		break;
	case PTYP_MULTIPLE_FLOATING64:
	case PTYP_MULTIPLE_FLOATING_TIME:
		value->u.mv.v.f64 = talloc_array(mem, double, count + 1);
		for (i = 0; i < count; i++)
			value->u.mv.v.f64[i] = wire_random_below(rnd, 99) / 7.0;
		break;
	case PTYP_MULTIPLE_GUID:
		value->u.mv.v.guid = talloc_array(mem, struct mapi_guid,
						  count + 1);
		wire_random_bytes(rnd, value->u.mv.v.any, count * 16);
		break;
	case PTYP_MULTIPLE_STRING:
	case PTYP_MULTIPLE_STRING8:
		value->u.mv.v.str = talloc_array(mem, const char *, count + 1);
		for (i = 0; i < count; i++) {
			value->u.mv.v.str[i] =
				value->type == PTYP_MULTIPLE_STRING ?
				wire_random_utf8(rnd, 8) :
				wire_random_string8(rnd, 8);
		}
		break;
	case PTYP_MULTIPLE_BINARY:
		value->u.mv.v.bin = talloc_array(mem, struct mapi_binary,
						 count + 1);
		for (i = 0; i < count; i++)
			wire_random_binary(rnd, &value->u.mv.v.bin[i]);
		break;
	default:
		value->u.mv.v.any = talloc_array(mem, int64_t, count + 1);
		wire_random_bytes(rnd, value->u.mv.v.any, count * 8);
		break;
	}
}

void wire_random_value(struct wire_random *rnd, uint16_t type,
		       struct mapi_value *value_r)
{
	memset(value_r, 0, sizeof(*value_r));
	value_r->type = type;
	if ((type & PTYP_MULTIPLE_FLAG) != 0) {
		random_multiple(rnd, value_r);
		return;
	}
	switch (type) {
	case PTYP_NULL:
	case PTYP_OBJECT:
		break;
	case PTYP_INTEGER16:
		value_r->u.i16 = (int16_t)wire_random_u64(rnd);
		break;
	case PTYP_INTEGER32:
	case PTYP_ERROR_CODE:
		value_r->u.i32 = (int32_t)wire_random_u64(rnd);
		break;
	case PTYP_FLOATING32:
		value_r->u.f32 = (float)wire_random_below(rnd, 1000) / 3;
		break;
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
		value_r->u.f64 = wire_random_below(rnd, 1000) / 3.0;
		break;
	case PTYP_BOOLEAN:
		value_r->u.b = wire_random_below(rnd, 2) != 0;
		break;
	case PTYP_STRING:
		value_r->u.str = wire_random_utf8(rnd, 20);
		break;
	case PTYP_STRING8:
		value_r->u.str8 = wire_random_string8(rnd, 20);
		break;
	case PTYP_GUID:
		wire_random_bytes(rnd, value_r->u.guid.bytes, 16);
		break;
	case PTYP_SERVER_ID:
	case PTYP_BINARY:
		wire_random_binary(rnd, &value_r->u.bin);
		break;
	case PTYP_RESTRICTION:
		value_r->u.restriction = wire_random_restriction(rnd);
		break;
	case PTYP_RULE_ACTION:
		value_r->u.actions = wire_random_rule_actions(rnd);
		break;
	default:
		value_r->u.i64 = (int64_t)wire_random_u64(rnd);
		break;
	}
}

void wire_random_property(struct wire_random *rnd,
			  struct mapi_property *prop_r)
{
	uint16_t type = wire_random_type(rnd);

	prop_r->tag = MAPI_TAG(wire_random_u64(rnd), type);
	wire_random_value(rnd, type, &prop_r->value);
}

static struct mapi_property *random_properties(struct wire_random *rnd,
					       unsigned int count)
{
	struct mapi_property *props =
		talloc_zero_array(rnd->mem, struct mapi_property, count + 1);
	unsigned int i;

	for (i = 0; i < count; i++)
		wire_random_property(rnd, &props[i]);
	return props;
}

void wire_random_row(struct wire_random *rnd, const uint32_t *columns,
		     uint32_t count, struct mapi_property_row *row_r)
{
	bool flagged = wire_random_below(rnd, 2) != 0;
	uint32_t i;

	row_r->count = count;
	row_r->columns = columns;
	row_r->values = count == 0 ? NULL :
		talloc_zero_array(rnd->mem, struct mapi_value, count);
	for (i = 0; i < count; i++) {
		uint16_t type = MAPI_TAG_TYPE(columns[i]);

		if ((type & PTYP_INSTANCE_FLAG) != 0)
			type &= 0x0fff;
		if (type == PTYP_UNSPECIFIED) {
			do {
				type = wire_random_type(rnd);
			} while (type == PTYP_ERROR_CODE);
		}
		wire_random_value(rnd, type, &row_r->values[i]);
		if (!flagged)
			continue;
		switch (wire_random_below(rnd, 3)) {
		case 0:
			row_r->values[i] = mapi_value_error(
				(uint32_t)wire_random_u64(rnd));
			break;
		case 1:
			/* absent; an unspecified column has its own null */
			memset(&row_r->values[i], 0, sizeof(*row_r->values));
			row_r->values[i].type = PTYP_NULL;
			break;
		}
	}
}

static struct mapi_restriction *random_child(struct wire_random *rnd)
{
	return wire_random_restriction(rnd);
}

static void random_restriction(struct wire_random *rnd,
			       struct mapi_restriction *res)
{
	static const uint8_t leaves[] = {
		RES_CONTENT, RES_PROPERTY, RES_COMPAREPROPS, RES_BITMASK,
		RES_SIZE, RES_EXIST, RES_NULL,
	};
	unsigned int i;

	res->type = rnd->depth > 0 && wire_random_below(rnd, 2) == 0 ?
		wire_random_below(rnd, RES_COUNT + 1) :
		leaves[wire_random_below(rnd, sizeof(leaves))];
	if (rnd->depth == 0 &&
	    (res->type == RES_CONTENT || res->type == RES_PROPERTY))
		res->type = RES_EXIST;
	if (rnd->depth > 0)
		rnd->depth--;
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		res->u.list.count = wire_random_below(rnd, 4);
		res->u.list.items =
			talloc_zero_array(rnd->mem, struct mapi_restriction,
					  res->u.list.count + 1);
		for (i = 0; i < res->u.list.count; i++)
			random_restriction(rnd, &res->u.list.items[i]);
		break;
	case RES_NOT:
		res->u.child = random_child(rnd);
		break;
	case RES_CONTENT:
		res->u.content.fuzzy_low = (uint16_t)wire_random_below(rnd, 3);
		res->u.content.fuzzy_high = (uint16_t)wire_random_below(rnd, 8);
		res->u.content.tag = (uint32_t)wire_random_u64(rnd);
		wire_random_property(rnd, &res->u.content.value);
		break;
	case RES_PROPERTY:
		res->u.property.relop = (uint8_t)wire_random_u64(rnd);
		res->u.property.tag = (uint32_t)wire_random_u64(rnd);
		wire_random_property(rnd, &res->u.property.value);
		break;
	case RES_COMPAREPROPS:
		res->u.compare.relop = (uint8_t)wire_random_u64(rnd);
		res->u.compare.tag1 = (uint32_t)wire_random_u64(rnd);
		res->u.compare.tag2 = (uint32_t)wire_random_u64(rnd);
		break;
	case RES_BITMASK:
		res->u.bitmask.relop = (uint8_t)wire_random_below(rnd, 2);
		res->u.bitmask.tag = (uint32_t)wire_random_u64(rnd);
		res->u.bitmask.mask = (uint32_t)wire_random_u64(rnd);
		break;
	case RES_SIZE:
		res->u.size.relop = (uint8_t)wire_random_below(rnd, 6);
		res->u.size.tag = (uint32_t)wire_random_u64(rnd);
		res->u.size.size = (uint32_t)wire_random_u64(rnd);
		break;
	case RES_EXIST:
		res->u.exist.tag = (uint32_t)wire_random_u64(rnd);
		break;
	case RES_SUBRESTRICTION:
		res->u.sub.tag = (uint32_t)wire_random_u64(rnd);
		res->u.sub.child = random_child(rnd);
		break;
	case RES_COMMENT:
		res->u.comment.count = (uint8_t)wire_random_below(rnd, 4);
		res->u.comment.values =
			random_properties(rnd, res->u.comment.count);
		if (wire_random_below(rnd, 2) == 0)
			res->u.comment.child = random_child(rnd);
		break;
	case RES_COUNT:
		res->u.count.count = (uint32_t)wire_random_u64(rnd);
		res->u.count.child = random_child(rnd);
		break;
	case RES_NULL:
		break;
	}
	rnd->depth++;
}

struct mapi_restriction *wire_random_restriction(struct wire_random *rnd)
{
	struct mapi_restriction *res =
		talloc_zero(rnd->mem, struct mapi_restriction);
	unsigned int depth = rnd->depth;

	random_restriction(rnd, res);
	rnd->depth = depth;
	return res;
}

static void random_forward(struct wire_random *rnd, struct mapi_action *action)
{
	struct mapi_action_recipient *recips;
	unsigned int i;

	action->u.forward.count = 1 + wire_random_below(rnd, 3);
	recips = talloc_zero_array(rnd->mem, struct mapi_action_recipient,
				   action->u.forward.count);
	action->u.forward.recipients = recips;
	for (i = 0; i < action->u.forward.count; i++) {
		recips[i].reserved = (uint8_t)wire_random_u64(rnd);
		recips[i].count = wire_random_below(rnd, 4);
		recips[i].properties = random_properties(rnd, recips[i].count);
	}
}

static void random_action(struct wire_random *rnd, struct mapi_action *action)
{
	bool extended = rnd->form != MAPI_WIRE_ROP;

	action->type = (uint8_t)(1 + wire_random_below(rnd, 12));
	action->flavor = (uint32_t)wire_random_u64(rnd);
	action->flags = (uint32_t)wire_random_u64(rnd);
	switch (action->type) {
	case MAPI_OP_MOVE:
	case MAPI_OP_COPY:
		action->u.move.in_this_store = extended ||
			wire_random_below(rnd, 2) == 0;
		wire_random_binary(rnd, &action->u.move.store_eid);
		wire_random_binary(rnd, &action->u.move.folder_eid);
		break;
	case MAPI_OP_REPLY:
	case MAPI_OP_OOF_REPLY:
		if (extended) {
			wire_random_binary(rnd, &action->u.reply.message_eid);
		} else {
			action->u.reply.fid = wire_random_id(rnd);
			action->u.reply.mid = wire_random_id(rnd);
		}
		wire_random_bytes(rnd, action->u.reply.template_guid.bytes, 16);
		break;
	case MAPI_OP_BOUNCE:
		action->u.bounce_code = (uint32_t)wire_random_u64(rnd);
		break;
	case MAPI_OP_FORWARD:
	case MAPI_OP_DELEGATE:
		random_forward(rnd, action);
		break;
	case MAPI_OP_TAG:
		wire_random_property(rnd, &action->u.tag);
		break;
	case MAPI_OP_DELETE:
	case MAPI_OP_MARK_AS_READ:
		break;
	default:
		wire_random_binary(rnd, &action->u.data);
		break;
	}
}

struct mapi_rule_actions *wire_random_rule_actions(struct wire_random *rnd)
{
	struct mapi_rule_actions *actions =
		talloc_zero(rnd->mem, struct mapi_rule_actions);
	unsigned int depth = rnd->depth, i;

	rnd->depth = depth == 0 ? 0 : depth - 1;
	actions->count = wire_random_below(rnd, 4);
	actions->actions = talloc_zero_array(rnd->mem, struct mapi_action,
					     actions->count + 1);
	for (i = 0; i < actions->count; i++)
		random_action(rnd, &actions->actions[i]);
	rnd->depth = depth;
	return actions;
}

void wire_random_recipient(struct wire_random *rnd, const uint32_t *columns,
			   uint32_t count, struct mapi_recipient_row *row_r)
{
	uint16_t flags = (uint16_t)wire_random_u64(rnd) & 0x87ff;
	bool unicode = (flags & MAPI_RECIP_UNICODE) != 0;
	unsigned int type = flags & MAPI_RECIP_TYPE_MASK;
	const struct {
		uint16_t bit;
		const char **str;
	} strings[] = {
		{ MAPI_RECIP_EMAIL, &row_r->email_address },
		{ MAPI_RECIP_DISPLAY_NAME, &row_r->display_name },
		{ MAPI_RECIP_SIMPLE_NAME, &row_r->simple_display_name },
		{ MAPI_RECIP_TRANSMITTABLE,
		  &row_r->transmittable_display_name },
	};
	unsigned int i;

	memset(row_r, 0, sizeof(*row_r));
	row_r->flags = flags;
	if (type == MAPI_RECIP_TYPE_X500) {
		row_r->address_prefix_used = (uint8_t)wire_random_u64(rnd);
		row_r->display_type = (uint8_t)wire_random_u64(rnd);
		row_r->x500dn = wire_random_string8(rnd, 20);
	} else if (type == MAPI_RECIP_TYPE_PDL1 ||
		   type == MAPI_RECIP_TYPE_PDL2) {
		wire_random_binary(rnd, &row_r->entry_id);
		wire_random_binary(rnd, &row_r->search_key);
	} else if (type == MAPI_RECIP_TYPE_NONE &&
		   (flags & MAPI_RECIP_ADDRESS_TYPE) != 0) {
		row_r->address_type = wire_random_string8(rnd, 5);
	}
	for (i = 0; i < 4; i++) {
		if ((flags & strings[i].bit) == 0)
			continue;
		*strings[i].str = unicode ? wire_random_utf8(rnd, 10) :
			wire_random_string8(rnd, 10);
	}
	wire_random_row(rnd, columns, wire_random_below(rnd, count + 1),
			&row_r->properties);
}
