/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-entryid.h"

#include <string.h>

const struct mapi_guid MAPI_UID_ADDRESSBOOK = { {
	0xdc, 0xa7, 0x40, 0xc8, 0xc0, 0x42, 0x10, 0x1a,
	0xb4, 0xb9, 0x08, 0x00, 0x2b, 0x2f, 0xe1, 0x82
} };
const struct mapi_guid MAPI_UID_ONE_OFF = { {
	0x81, 0x2b, 0x1f, 0xa4, 0xbe, 0xa3, 0x10, 0x19,
	0x9d, 0x6e, 0x00, 0xdd, 0x01, 0x0f, 0x54, 0x02
} };
const struct mapi_guid MAPI_UID_CONTACT = { {
	0xfe, 0x42, 0xaa, 0x0a, 0x18, 0xc7, 0x1a, 0x10,
	0xe8, 0x85, 0x0b, 0x65, 0x1c, 0x24, 0x00, 0x00
} };
const struct mapi_guid MAPI_UID_STORE_WRAP = { {
	0x38, 0xa1, 0xbb, 0x10, 0x05, 0xe5, 0x10, 0x1a,
	0xa1, 0xbb, 0x08, 0x00, 0x2b, 0x2a, 0x56, 0xc2
} };
const struct mapi_guid MAPI_UID_STORE_PRIVATE = { {
	0x1b, 0x55, 0xfa, 0x20, 0xaa, 0x66, 0x11, 0xcd,
	0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0xc4, 0x5a
} };
const struct mapi_guid MAPI_UID_STORE_PUBLIC = { {
	0x1c, 0x83, 0x02, 0x10, 0xaa, 0x66, 0x11, 0xcd,
	0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0xc4, 0x5a
} };
const struct mapi_guid MAPI_UID_PUBLIC_FOLDERS = { {
	0x1a, 0x44, 0x73, 0x90, 0xaa, 0x66, 0x11, 0xcd,
	0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0xc4, 0x5a
} };
const struct mapi_guid MAPI_UID_DISTLIST_WRAP = { {
	0xc0, 0x91, 0xad, 0xd3, 0x51, 0x9d, 0xcf, 0x11,
	0xa4, 0xa9, 0x00, 0xaa, 0x00, 0x47, 0xfa, 0xa4
} };

#define FOLDER_ENTRY_ID_SIZE 46
#define MESSAGE_ENTRY_ID_SIZE 70
#define EPHEMERAL_ENTRY_ID_SIZE 32
#define EPHEMERAL_ID_TYPE 0x87

static const char store_dll[14] = "emsmdb.dll";

void mapi_pull_long_term_id(struct mapi_pull *pull,
			    struct mapi_long_term_id *ltid_r)
{
	mapi_pull_guid(pull, &ltid_r->guid);
	ltid_r->globcnt = mapi_pull_globcnt(pull);
	(void)mapi_pull_u16(pull);
}

bool mapi_push_long_term_id(struct mapi_push *push,
			    const struct mapi_long_term_id *ltid)
{
	return mapi_push_guid(push, &ltid->guid) &&
		mapi_push_globcnt(push, ltid->globcnt) &&
		mapi_push_u16(push, 0);
}

/* What has been pushed, as a binary */
static struct mapi_binary push_finish(struct mapi_push *push)
{
	struct mapi_binary bin = { 0, NULL };

	if (!mapi_push_ok(push)) {
		talloc_free(push->data);
		return bin;
	}
	bin.len = (uint32_t)push->size;
	bin.data = push->data;
	return bin;
}

struct mapi_binary mapi_gid_build(TALLOC_CTX *mem, const struct mapi_guid *guid,
				  uint64_t globcnt)
{
	struct mapi_push push;

	mapi_push_init(&push, mem, 0);
	(void)mapi_push_guid(&push, guid);
	(void)mapi_push_globcnt(&push, globcnt);
	return push_finish(&push);
}

bool mapi_gid_parse(const struct mapi_binary *bin,
		    struct mapi_long_term_id *ltid_r)
{
	struct mapi_pull pull;

	if (bin->len != MAPI_GID_SIZE)
		return false;
	mapi_pull_init(&pull, NULL, bin->data, bin->len);
	mapi_pull_guid(&pull, &ltid_r->guid);
	ltid_r->globcnt = mapi_pull_globcnt(&pull);
	return mapi_pull_ok(&pull);
}

/* --- parse ---------------------------------------------------------------- */

static bool is_provider(const struct mapi_guid *provider,
			const struct mapi_guid *uid)
{
	return memcmp(provider, uid, sizeof(*provider)) == 0;
}

static void pull_rest(struct mapi_pull *pull, struct mapi_binary *bin_r)
{
	size_t left = mapi_pull_left(pull);

	if (left > UINT32_MAX)
		left = UINT32_MAX;
	bin_r->len = (uint32_t)left;
	bin_r->data = mapi_pull_bytes(pull, left);
}

static bool pull_store(struct mapi_pull *pull, struct mapi_entry_id *eid)
{
	struct mapi_guid provider;
	const uint8_t *dll;

	if (mapi_pull_u16(pull) != 0)	/* Version, Flag */
		return false;
	/* Some clients write it in capitals. */
	dll = mapi_pull_bytes(pull, sizeof(store_dll));
	if (dll == NULL)
		return false;
	(void)mapi_pull_u32(pull);	/* WrappedFlags */
	mapi_pull_guid(pull, &provider);
	if (is_provider(&provider, &MAPI_UID_STORE_PUBLIC))
		eid->u.store.public_store = true;
	else if (!is_provider(&provider, &MAPI_UID_STORE_PRIVATE))
		return false;
	(void)mapi_pull_u32(pull);	/* WrappedType */
	eid->u.store.server = mapi_pull_string8(pull);
	if (!eid->u.store.public_store)
		eid->u.store.mailbox_dn = mapi_pull_string8(pull);
	pull_rest(pull, &eid->u.store.rest);
	return mapi_pull_ok(pull);
}

static bool pull_one_off(struct mapi_pull *pull, struct mapi_entry_id *eid)
{
	bool unicode;

	if (mapi_pull_u16(pull) != 0)	/* Version */
		return false;
	eid->u.one_off.flags = mapi_pull_u16(pull);
	unicode = (eid->u.one_off.flags & MAPI_ONE_OFF_UNICODE) != 0;
	eid->u.one_off.display_name = unicode ? mapi_pull_utf16(pull) :
		mapi_pull_string8(pull);
	eid->u.one_off.address_type = unicode ? mapi_pull_utf16(pull) :
		mapi_pull_string8(pull);
	eid->u.one_off.email_address = unicode ? mapi_pull_utf16(pull) :
		mapi_pull_string8(pull);
	return mapi_pull_ok(pull);
}

static bool pull_addressbook(struct mapi_pull *pull, struct mapi_entry_id *eid)
{
	if (mapi_pull_u32(pull) != 1)	/* Version */
		return false;
	eid->u.addressbook.type = mapi_pull_u32(pull);
	eid->u.addressbook.dn = mapi_pull_string8(pull);
	return mapi_pull_ok(pull);
}

static bool pull_ephemeral(struct mapi_pull *pull, struct mapi_entry_id *eid)
{
	if (mapi_pull_u32(pull) != 1)
		return false;
	eid->u.ephemeral.type = mapi_pull_u32(pull);
	eid->u.ephemeral.mid = mapi_pull_u32(pull);
	return mapi_pull_ok(pull);
}

static bool pull_contact(struct mapi_pull *pull, struct mapi_entry_id *eid)
{
	struct mapi_binary *inner = &eid->u.contact.entry_id;

	if (mapi_pull_u32(pull) != 3)	/* Version */
		return false;
	eid->u.contact.type = mapi_pull_u32(pull);
	eid->u.contact.index = mapi_pull_u32(pull);
	inner->len = mapi_pull_u32(pull);
	inner->data = mapi_pull_bytes(pull, inner->len);
	return mapi_pull_ok(pull);
}

static bool pull_object(struct mapi_pull *pull, size_t size,
			struct mapi_entry_id *eid)
{
	uint16_t type = eid->u.object.type = mapi_pull_u16(pull);

	mapi_pull_long_term_id(pull, &eid->u.object.folder);
	if (size == FOLDER_ENTRY_ID_SIZE) {
		eid->kind = MAPI_ENTRY_ID_FOLDER;
		return type == MAPI_EITLT_PRIVATE_FOLDER ||
			type == MAPI_EITLT_PUBLIC_FOLDER;
	}
	mapi_pull_long_term_id(pull, &eid->u.object.message);
	eid->kind = MAPI_ENTRY_ID_MESSAGE;
	return type == MAPI_EITLT_PRIVATE_MESSAGE ||
		type == MAPI_EITLT_PUBLIC_MESSAGE;
}

static bool entry_id_pull(struct mapi_pull *pull, size_t size,
			  struct mapi_entry_id *eid)
{
	struct mapi_guid provider;

	eid->flags = mapi_pull_u32(pull);
	mapi_pull_guid(pull, &provider);
	if (!mapi_pull_ok(pull))
		return false;
	if ((eid->flags & 0xff) == EPHEMERAL_ID_TYPE) {
		if (size != EPHEMERAL_ENTRY_ID_SIZE)
			return false;
		eid->kind = MAPI_ENTRY_ID_EPHEMERAL;
		eid->u.ephemeral.provider = provider;
		return pull_ephemeral(pull, eid);
	}
	if (is_provider(&provider, &MAPI_UID_ADDRESSBOOK)) {
		eid->kind = MAPI_ENTRY_ID_ADDRESSBOOK;
		return pull_addressbook(pull, eid);
	}
	if (is_provider(&provider, &MAPI_UID_ONE_OFF)) {
		eid->kind = MAPI_ENTRY_ID_ONE_OFF;
		return pull_one_off(pull, eid);
	}
	if (is_provider(&provider, &MAPI_UID_CONTACT)) {
		eid->kind = MAPI_ENTRY_ID_CONTACT;
		return pull_contact(pull, eid);
	}
	if (is_provider(&provider, &MAPI_UID_STORE_WRAP)) {
		eid->kind = MAPI_ENTRY_ID_STORE;
		return pull_store(pull, eid);
	}
	if (is_provider(&provider, &MAPI_UID_DISTLIST_WRAP)) {
		eid->kind = MAPI_ENTRY_ID_WRAPPED;
		eid->u.wrapped.type = mapi_pull_u8(pull);
		pull_rest(pull, &eid->u.wrapped.entry_id);
		return mapi_pull_ok(pull);
	}
	if (size == FOLDER_ENTRY_ID_SIZE || size == MESSAGE_ENTRY_ID_SIZE) {
		eid->u.object.provider = provider;
		return pull_object(pull, size, eid);
	}
	return false;
}

enum mapi_entry_id_kind
mapi_entry_id_parse(TALLOC_CTX *mem, const void *data, size_t size,
		    struct mapi_entry_id *eid_r)
{
	struct mapi_pull pull;

	memset(eid_r, 0, sizeof(*eid_r));
	mapi_pull_init(&pull, mem, data, size);
	if (!entry_id_pull(&pull, size, eid_r))
		memset(eid_r, 0, sizeof(*eid_r));
	return eid_r->kind;
}

/* --- build ---------------------------------------------------------------- */

static void push_header(struct mapi_push *push, const struct mapi_entry_id *eid,
			const struct mapi_guid *provider)
{
	(void)mapi_push_u32(push, eid->flags);
	(void)mapi_push_guid(push, provider);
}

static void push_object(struct mapi_push *push, const struct mapi_entry_id *eid)
{
	push_header(push, eid, &eid->u.object.provider);
	(void)mapi_push_u16(push, eid->u.object.type);
	(void)mapi_push_long_term_id(push, &eid->u.object.folder);
	if (eid->kind == MAPI_ENTRY_ID_MESSAGE)
		(void)mapi_push_long_term_id(push, &eid->u.object.message);
}

static void push_store(struct mapi_push *push, const struct mapi_entry_id *eid)
{
	bool public_store = eid->u.store.public_store;

	push_header(push, eid, &MAPI_UID_STORE_WRAP);
	(void)mapi_push_u16(push, 0);
	(void)mapi_push_bytes(push, store_dll, sizeof(store_dll));
	(void)mapi_push_u32(push, 0);
	(void)mapi_push_guid(push, public_store ? &MAPI_UID_STORE_PUBLIC :
			     &MAPI_UID_STORE_PRIVATE);
	(void)mapi_push_u32(push, public_store ? 0x06 : 0x0c);
	(void)mapi_push_string8(push, eid->u.store.server);
	if (!public_store)
		(void)mapi_push_string8(push, eid->u.store.mailbox_dn);
	(void)mapi_push_bytes(push, eid->u.store.rest.data,
			      eid->u.store.rest.len);
}

static void push_one_off(struct mapi_push *push,
			 const struct mapi_entry_id *eid)
{
	bool (*push_str)(struct mapi_push *push, const char *str) =
		(eid->u.one_off.flags & MAPI_ONE_OFF_UNICODE) != 0 ?
		mapi_push_utf16 : mapi_push_string8;

	push_header(push, eid, &MAPI_UID_ONE_OFF);
	(void)mapi_push_u16(push, 0);
	(void)mapi_push_u16(push, eid->u.one_off.flags);
	(void)push_str(push, eid->u.one_off.display_name);
	(void)push_str(push, eid->u.one_off.address_type);
	(void)push_str(push, eid->u.one_off.email_address);
}

struct mapi_binary mapi_entry_id_build(TALLOC_CTX *mem,
				       const struct mapi_entry_id *eid)
{
	struct mapi_push push;

	mapi_push_init(&push, mem, 0);
	switch (eid->kind) {
	case MAPI_ENTRY_ID_UNKNOWN:
		(void)mapi_push_fail(&push, MAPI_WIRE_INVALID);
		break;
	case MAPI_ENTRY_ID_FOLDER:
	case MAPI_ENTRY_ID_MESSAGE:
		push_object(&push, eid);
		break;
	case MAPI_ENTRY_ID_STORE:
		push_store(&push, eid);
		break;
	case MAPI_ENTRY_ID_ONE_OFF:
		push_one_off(&push, eid);
		break;
	case MAPI_ENTRY_ID_ADDRESSBOOK:
		push_header(&push, eid, &MAPI_UID_ADDRESSBOOK);
		(void)mapi_push_u32(&push, 1);
		(void)mapi_push_u32(&push, eid->u.addressbook.type);
		(void)mapi_push_string8(&push, eid->u.addressbook.dn);
		break;
	case MAPI_ENTRY_ID_EPHEMERAL:
		push_header(&push, eid, &eid->u.ephemeral.provider);
		(void)mapi_push_u32(&push, 1);
		(void)mapi_push_u32(&push, eid->u.ephemeral.type);
		(void)mapi_push_u32(&push, eid->u.ephemeral.mid);
		/* the first byte is the type of id */
		if (mapi_push_ok(&push))
			push.data[0] = EPHEMERAL_ID_TYPE;
		break;
	case MAPI_ENTRY_ID_CONTACT:
		push_header(&push, eid, &MAPI_UID_CONTACT);
		(void)mapi_push_u32(&push, 3);
		(void)mapi_push_u32(&push, eid->u.contact.type);
		(void)mapi_push_u32(&push, eid->u.contact.index);
		(void)mapi_push_u32(&push, eid->u.contact.entry_id.len);
		(void)mapi_push_bytes(&push, eid->u.contact.entry_id.data,
				      eid->u.contact.entry_id.len);
		break;
	case MAPI_ENTRY_ID_WRAPPED:
		push_header(&push, eid, &MAPI_UID_DISTLIST_WRAP);
		(void)mapi_push_u8(&push, eid->u.wrapped.type);
		(void)mapi_push_bytes(&push, eid->u.wrapped.entry_id.data,
				      eid->u.wrapped.entry_id.len);
		break;
	}
	return push_finish(&push);
}

struct mapi_binary
mapi_folder_entry_id_build(TALLOC_CTX *mem, const struct mapi_guid *mailbox,
			   const struct mapi_guid *replica, uint64_t globcnt)
{
	struct mapi_entry_id eid;

	memset(&eid, 0, sizeof(eid));
	eid.kind = MAPI_ENTRY_ID_FOLDER;
	eid.u.object.provider = *mailbox;
	eid.u.object.type = MAPI_EITLT_PRIVATE_FOLDER;
	eid.u.object.folder.guid = *replica;
	eid.u.object.folder.globcnt = globcnt;
	return mapi_entry_id_build(mem, &eid);
}

struct mapi_binary
mapi_message_entry_id_build(TALLOC_CTX *mem, const struct mapi_guid *mailbox,
			    const struct mapi_guid *replica,
			    uint64_t folder_globcnt, uint64_t message_globcnt)
{
	struct mapi_entry_id eid;

	memset(&eid, 0, sizeof(eid));
	eid.kind = MAPI_ENTRY_ID_MESSAGE;
	eid.u.object.provider = *mailbox;
	eid.u.object.type = MAPI_EITLT_PRIVATE_MESSAGE;
	eid.u.object.folder.guid = *replica;
	eid.u.object.folder.globcnt = folder_globcnt;
	eid.u.object.message.guid = *replica;
	eid.u.object.message.globcnt = message_globcnt;
	return mapi_entry_id_build(mem, &eid);
}

struct mapi_binary
mapi_store_entry_id_build(TALLOC_CTX *mem, const char *server,
			  const char *mailbox_dn)
{
	struct mapi_entry_id eid;

	memset(&eid, 0, sizeof(eid));
	eid.kind = MAPI_ENTRY_ID_STORE;
	eid.u.store.server = server;
	eid.u.store.mailbox_dn = mailbox_dn;
	return mapi_entry_id_build(mem, &eid);
}

struct mapi_binary
mapi_addressbook_entry_id_build(TALLOC_CTX *mem, uint32_t type, const char *dn)
{
	struct mapi_entry_id eid;

	memset(&eid, 0, sizeof(eid));
	eid.kind = MAPI_ENTRY_ID_ADDRESSBOOK;
	eid.u.addressbook.type = type;
	eid.u.addressbook.dn = dn;
	return mapi_entry_id_build(mem, &eid);
}

struct mapi_binary
mapi_one_off_entry_id_build(TALLOC_CTX *mem, const char *display_name,
			    const char *address_type,
			    const char *email_address)
{
	struct mapi_entry_id eid;

	memset(&eid, 0, sizeof(eid));
	eid.kind = MAPI_ENTRY_ID_ONE_OFF;
	eid.u.one_off.flags = MAPI_ONE_OFF_UNICODE |
		MAPI_ONE_OFF_NO_RICH_INFO;
	eid.u.one_off.display_name = display_name;
	eid.u.one_off.address_type = address_type;
	eid.u.one_off.email_address = email_address;
	return mapi_entry_id_build(mem, &eid);
}

struct mapi_binary
mapi_recipient_search_key_build(TALLOC_CTX *mem, const char *address_type,
				const char *email_address)
{
	struct mapi_binary bin = { 0, NULL };
	char *key, *p;

	key = talloc_asprintf(mem, "%s:%s", address_type, email_address);
	if (key == NULL)
		return bin;
	for (p = key; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
	bin.len = (uint32_t)(p - key) + 1;
	bin.data = (const uint8_t *)key;
	return bin;
}

/* --- server id ------------------------------------------------------------ */

bool mapi_server_id_parse(const struct mapi_binary *bin,
			  struct mapi_server_id *sid_r)
{
	struct mapi_pull pull;

	memset(sid_r, 0, sizeof(*sid_r));
	if (bin->len != MAPI_SERVER_ID_SIZE)
		return false;
	mapi_pull_init(&pull, NULL, bin->data, bin->len);
	if (mapi_pull_u8(&pull) != 1)
		return false;
	sid_r->fid = mapi_pull_id(&pull);
	sid_r->mid = mapi_pull_id(&pull);
	sid_r->instance = mapi_pull_u32(&pull);
	return mapi_pull_ok(&pull);
}

struct mapi_binary mapi_server_id_build(TALLOC_CTX *mem,
					const struct mapi_server_id *sid)
{
	struct mapi_push push;

	mapi_push_init(&push, mem, 0);
	(void)mapi_push_u8(&push, 1);
	(void)mapi_push_id(&push, sid->fid);
	(void)mapi_push_id(&push, sid->mid);
	(void)mapi_push_u32(&push, sid->instance);
	return push_finish(&push);
}
