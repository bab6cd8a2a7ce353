/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RULE_H
#define MAPI_RULE_H

/* Rule actions, the value of PTYP_RULE_ACTION: [MS-OXORULE] 2.2.5. Standard
   rules have 16-bit counts (MAPI_WIRE_ROP), extended rules 32-bit
   (MAPI_WIRE_EXTENDED), and some actions differ in what they hold. */

#include "mapi-wire.h"
#include "mapi-restriction.h"

enum mapi_action_type {
	MAPI_OP_MOVE		= 0x01,
	MAPI_OP_COPY		= 0x02,
	MAPI_OP_REPLY		= 0x03,
	MAPI_OP_OOF_REPLY	= 0x04,
	MAPI_OP_DEFER_ACTION	= 0x05,
	MAPI_OP_BOUNCE		= 0x06,
	MAPI_OP_FORWARD		= 0x07,
	MAPI_OP_DELEGATE	= 0x08,
	MAPI_OP_TAG		= 0x09,
	MAPI_OP_DELETE		= 0x0A,
	MAPI_OP_MARK_AS_READ	= 0x0B,
};

/* RecipientBlockData */
struct mapi_action_recipient {
	uint8_t reserved;
	uint32_t count;
	struct mapi_property *properties;
};

struct mapi_action {
	uint8_t type;		/* enum mapi_action_type */
	uint32_t flavor;	/* meaning depends on type */
	uint32_t flags;		/* the client's own */
	union {
		/* MOVE, COPY */
		struct {
			/* standard: whether folder_eid is a ServerEid in this
			   store. Extended: always true, an entry id. */
			bool in_this_store;
			struct mapi_binary store_eid, folder_eid;
		} move;
		/* REPLY, OOF_REPLY: the template */
		struct {
			mapi_id_t fid, mid;		/* standard */
			struct mapi_binary message_eid;	/* extended */
			struct mapi_guid template_guid;
		} reply;
		/* DEFER_ACTION, and unknown types: opaque */
		struct mapi_binary data;
		/* BOUNCE */
		uint32_t bounce_code;
		/* FORWARD, DELEGATE */
		struct {
			uint32_t count;
			struct mapi_action_recipient *recipients;
		} forward;
		/* TAG */
		struct mapi_property tag;
	} u;
};

struct mapi_rule_actions {
	uint32_t count;
	struct mapi_action *actions;
};

/* In the form that the pull is set to; NULL on failure. Bytes of an action
   after what its type holds are dropped. */
struct mapi_rule_actions *mapi_pull_rule_actions(struct mapi_pull *pull);
bool mapi_push_rule_actions(struct mapi_push *push,
			    const struct mapi_rule_actions *actions);
bool mapi_rule_actions_equal(const struct mapi_rule_actions *a,
			     const struct mapi_rule_actions *b);
/* Deep copy; NULL if out of memory (or actions is NULL). */
struct mapi_rule_actions *
mapi_rule_actions_copy(TALLOC_CTX *mem,
		       const struct mapi_rule_actions *actions);

/* Calls func for each property in actions (may be NULL). */
void mapi_rule_actions_walk(struct mapi_rule_actions *actions,
			    mapi_property_walk_t *func, void *context);

/* NamedPropertyInformation, [MS-OXORULE] 2.2.4.2: what the property ids above
   0x8000 in an extended rule's condition and actions mean. */
struct mapi_named_property_map {
	uint16_t count;
	uint16_t *ids;
	struct mapi_property_name *names;
};
bool mapi_pull_named_property_map(struct mapi_pull *pull,
				  struct mapi_named_property_map *map_r);
bool mapi_push_named_property_map(struct mapi_push *push,
				  const struct mapi_named_property_map *map);

#endif
