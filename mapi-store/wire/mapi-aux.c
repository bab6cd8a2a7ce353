/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-aux.h"
#include "mapi-print.h"
#include "mapi-wire-private.h"

#include <string.h>

/* AUX_HEADER: Size, Version, Type */
#define AUX_HEADER_SIZE 4

bool mapi_aux_decode(TALLOC_CTX *mem, const void *data, size_t size,
		     struct mapi_aux_block **blocks_r, unsigned int *count_r)
{
	struct mapi_aux_block *blocks = NULL, *p;
	unsigned int count = 0, allocated = 0;
	struct mapi_pull pull;
	uint16_t block_size;
	bool ret = true;

	mapi_pull_init(&pull, mem, data, size);
	while (mapi_pull_left(&pull) > 0) {
		if (count == allocated) {
			allocated = allocated == 0 ? 8 : allocated * 2;
			p = talloc_realloc(mem, blocks, struct mapi_aux_block,
					   allocated);
			if (p == NULL) {
				ret = false;
				break;
			}
			blocks = p;
		}
		p = &blocks[count];
		block_size = mapi_pull_u16(&pull);
		p->version = mapi_pull_u8(&pull);
		p->type = mapi_pull_u8(&pull);
		if (!mapi_pull_ok(&pull) || block_size < AUX_HEADER_SIZE) {
			ret = false;
			break;
		}
		p->data.len = block_size - (uint32_t)AUX_HEADER_SIZE;
		p->data.data = mapi_pull_bytes(&pull, p->data.len);
		if (p->data.data == NULL) {
			ret = false;
			break;
		}
		count++;
	}
	*blocks_r = blocks;
	*count_r = count;
	return ret;
}

bool mapi_push_aux_block(struct mapi_push *push,
			 const struct mapi_aux_block *block)
{
	if (block->data.len > UINT16_MAX - AUX_HEADER_SIZE)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	return mapi_push_u16(push, (uint16_t)(block->data.len +
					      AUX_HEADER_SIZE)) &&
		mapi_push_u8(push, block->version) &&
		mapi_push_u8(push, block->type) &&
		mapi_push_bytes(push, block->data.data, block->data.len);
}

/* --- what clients report -------------------------------------------------- */

/* The part of the block at an offset that counts from its header's start;
   offset 0 means that there is none. */
static bool block_at(TALLOC_CTX *mem, const struct mapi_aux_block *block,
		     uint16_t offset, struct mapi_pull *pull_r)
{
	size_t pos;

	if (offset < AUX_HEADER_SIZE)
		return false;
	pos = offset - (size_t)AUX_HEADER_SIZE;
	if (pos >= block->data.len)
		return false;
	mapi_pull_init(pull_r, mem, block->data.data + pos,
		       block->data.len - pos);
	return true;
}

static const char *
block_string(TALLOC_CTX *mem, const struct mapi_aux_block *block,
	     uint16_t offset)
{
	struct mapi_pull pull;
	const char *str;

	if (!block_at(mem, block, offset, &pull))
		return NULL;
	str = mapi_pull_utf16(&pull);
	return mapi_pull_ok(&pull) ? str : NULL;
}

static struct mapi_binary
block_binary(const struct mapi_aux_block *block, uint16_t offset, uint16_t size)
{
	struct mapi_binary bin = { 0, NULL };
	struct mapi_pull pull;

	if (size > 0 && block_at(NULL, block, offset, &pull) &&
	    (bin.data = mapi_pull_bytes(&pull, size)) != NULL)
		bin.len = size;
	return bin;
}

bool mapi_aux_client_info(TALLOC_CTX *mem, const struct mapi_aux_block *block,
			  struct mapi_aux_client_info *info_r)
{
	uint16_t machine, user, ip_size, ip, mask_size, mask, adapter;
	uint16_t mac_size, mac;
	struct mapi_pull pull;

	memset(info_r, 0, sizeof(*info_r));
	if (block->type != MAPI_AUX_PERF_CLIENTINFO)
		return false;
	mapi_pull_init(&pull, mem, block->data.data, block->data.len);
	info_r->adapter_speed = mapi_pull_u32(&pull);
	info_r->client_id = mapi_pull_u16(&pull);
	machine = mapi_pull_u16(&pull);
	user = mapi_pull_u16(&pull);
	ip_size = mapi_pull_u16(&pull);
	ip = mapi_pull_u16(&pull);
	mask_size = mapi_pull_u16(&pull);
	mask = mapi_pull_u16(&pull);
	adapter = mapi_pull_u16(&pull);
	mac_size = mapi_pull_u16(&pull);
	mac = mapi_pull_u16(&pull);
	info_r->client_mode = mapi_pull_u16(&pull);
	(void)mapi_pull_u16(&pull);
	if (!mapi_pull_ok(&pull))
		return false;
	info_r->machine_name = block_string(mem, block, machine);
	info_r->user_name = block_string(mem, block, user);
	info_r->adapter_name = block_string(mem, block, adapter);
	info_r->client_ip = block_binary(block, ip, ip_size);
	info_r->client_ip_mask = block_binary(block, mask, mask_size);
	info_r->mac_address = block_binary(block, mac, mac_size);
	return true;
}

bool mapi_aux_process_info(TALLOC_CTX *mem, const struct mapi_aux_block *block,
			   struct mapi_aux_process_info *info_r)
{
	struct mapi_pull pull;
	uint16_t name;

	memset(info_r, 0, sizeof(*info_r));
	if (block->type != MAPI_AUX_PERF_PROCESSINFO)
		return false;
	mapi_pull_init(&pull, mem, block->data.data, block->data.len);
	info_r->process_id = mapi_pull_u16(&pull);
	(void)mapi_pull_u16(&pull);
	mapi_pull_guid(&pull, &info_r->process_guid);
	name = mapi_pull_u16(&pull);
	(void)mapi_pull_u16(&pull);
	if (!mapi_pull_ok(&pull))
		return false;
	info_r->process_name = block_string(mem, block, name);
	return true;
}

bool mapi_aux_session_info(const struct mapi_aux_block *block,
			   struct mapi_aux_session_info *info_r)
{
	struct mapi_pull pull;

	memset(info_r, 0, sizeof(*info_r));
	if (block->type != MAPI_AUX_PERF_SESSIONINFO)
		return false;
	mapi_pull_init(&pull, NULL, block->data.data, block->data.len);
	info_r->session_id = mapi_pull_u16(&pull);
	(void)mapi_pull_u16(&pull);
	mapi_pull_guid(&pull, &info_r->session_guid);
	if (block->version >= MAPI_AUX_VERSION_2)
		info_r->connection_id = mapi_pull_u32(&pull);
	return mapi_pull_ok(&pull);
}

/* --- what a server tells -------------------------------------------------- */

static bool push_header(struct mapi_push *push, uint8_t type, uint16_t size)
{
	return mapi_push_u16(push, (uint16_t)(size + AUX_HEADER_SIZE)) &&
		mapi_push_u8(push, MAPI_AUX_VERSION_1) &&
		mapi_push_u8(push, type);
}

bool mapi_push_aux_client_control(struct mapi_push *push, uint32_t enable_flags,
				  uint32_t expiry_ms)
{
	return push_header(push, MAPI_AUX_CLIENT_CONTROL, 8) &&
		mapi_push_u32(push, enable_flags) &&
		mapi_push_u32(push, expiry_ms);
}

bool mapi_push_aux_exorginfo(struct mapi_push *push, uint32_t org_flags)
{
	return push_header(push, MAPI_AUX_EXORGINFO, 4) &&
		mapi_push_u32(push, org_flags);
}

bool mapi_push_aux_endpoint_capabilities(struct mapi_push *push,
					 uint32_t flags)
{
	return push_header(push, MAPI_AUX_ENDPOINT_CAPABILITIES, 4) &&
		mapi_push_u32(push, flags);
}

bool mapi_push_aux_server_capabilities(struct mapi_push *push, uint32_t flags)
{
	return push_header(push, MAPI_AUX_SERVER_CAPABILITIES, 4) &&
		mapi_push_u32(push, flags);
}

/* --- print ---------------------------------------------------------------- */

/* "XOffset", "OffsetX" and "XSize" fields that have been seen */
#define MAX_REFS 12
struct aux_ref {
	const char *name;
	size_t name_len;
	uint16_t value;
};

/* What has the given name before or behind word (Offset, Size)? 0 if none. */
static uint16_t find_ref(const struct aux_ref *refs, unsigned int count,
			 const char *name, size_t len, const char *word)
{
	size_t word_len = strlen(word);
	unsigned int i;

	for (i = 0; i < count; i++) {
		const char *ref = refs[i].name;

		if (refs[i].name_len != len + word_len)
			continue;
		if ((memcmp(ref, name, len) == 0 &&
		     memcmp(ref + len, word, word_len) == 0) ||
		    (memcmp(ref, word, word_len) == 0 &&
		     memcmp(ref + word_len, name, len) == 0))
			return refs[i].value;
	}
	return 0;
}

static void print_field(char **str, const struct mapi_aux_block *block,
			struct mapi_pull *pull, struct aux_ref *refs,
			unsigned int *ref_count, const char *name,
			size_t name_len, const char *type)
{
	struct mapi_binary bin;
	struct mapi_guid guid;
	uint16_t offset, size;

	mapi_print(str, " %.*s=", (int)name_len, name);
	if (strncmp(type, "u8", 2) == 0) {
		mapi_print(str, "%u", mapi_pull_u8(pull));
	} else if (strncmp(type, "u16", 3) == 0) {
		size = mapi_pull_u16(pull);
		mapi_print(str, "%u", size);
		if (*ref_count < MAX_REFS) {
			refs[*ref_count].name = name;
			refs[*ref_count].name_len = name_len;
			refs[(*ref_count)++].value = size;
		}
	} else if (strncmp(type, "u32", 3) == 0) {
		mapi_print(str, "0x%x", mapi_pull_u32(pull));
	} else if (strncmp(type, "guid", 4) == 0) {
		mapi_pull_guid(pull, &guid);
		mapi_print_guid(str, &guid);
	} else if (strncmp(type, "utf16z", 6) == 0) {
		offset = find_ref(refs, *ref_count, name, name_len, "Offset");
		mapi_print_string(str, block_string(pull->mem, block, offset));
	} else if (strncmp(type, "bytes ", 6) == 0) {
		offset = find_ref(refs, *ref_count, name, name_len, "Offset");
		size = find_ref(refs, *ref_count, name, name_len, "Size");
		bin = block_binary(block, offset, size);
		mapi_print_binary(str, bin.data, bin.len);
	} else {
		/* reserved bytes, texts up to the end */
		bin.len = (uint32_t)mapi_pull_left(pull);
		bin.data = mapi_pull_bytes(pull, bin.len);
		mapi_print_binary(str, bin.data, bin.len);
	}
}

static const struct mapi_aux_layout *
find_layout(const struct mapi_aux_block *block)
{
	unsigned int i;

	for (i = 0; i < mapi_aux_layouts_count; i++) {
		if (mapi_aux_layouts[i].type == block->type &&
		    mapi_aux_layouts[i].version == block->version)
			return &mapi_aux_layouts[i];
	}
	return NULL;
}

static void print_block(char **str, TALLOC_CTX *mem,
			const struct mapi_aux_block *block)
{
	const struct mapi_aux_layout *layout = find_layout(block);
	struct aux_ref refs[MAX_REFS];
	unsigned int ref_count = 0;
	struct mapi_pull pull;
	const char *p, *colon;

	if (layout == NULL) {
		mapi_print(str, "AUX 0x%02x version %u ", block->type,
			   block->version);
		mapi_print_binary(str, block->data.data, block->data.len);
		mapi_print(str, "\n");
		return;
	}
	mapi_print(str, "%s", layout->name);
	mapi_pull_init(&pull, mem, block->data.data, block->data.len);
	for (p = layout->fields; *p != '\0' && mapi_pull_ok(&pull);
	     p = strchr(colon, ' ') + 1) {
		colon = strchr(p, ':');
		print_field(str, block, &pull, refs, &ref_count, p,
			    (size_t)(colon - p), colon + 1);
	}
	mapi_print(str, mapi_pull_ok(&pull) ? "\n" : " cut short\n");
}

char *mapi_aux_print(TALLOC_CTX *mem, const void *data, size_t size)
{
	struct mapi_aux_block *blocks;
	unsigned int count, i;
	char *str = talloc_strdup(mem, "");
	bool whole;

	whole = mapi_aux_decode(mem, data, size, &blocks, &count);
	for (i = 0; i < count; i++)
		print_block(&str, mem, &blocks[i]);
	if (!whole)
		mapi_print(&str, "AUX malformed\n");
	return str;
}
