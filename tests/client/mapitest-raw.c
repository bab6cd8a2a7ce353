/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "mapitest raw": remote operations by name, with the fields that the wire
   tables know, in one Execute.

     mapitest raw URL USER RopOpenFolder FolderId=Inbox + \
	RopGetContentsTable + RopSetColumns PropertyTags=PidTagMid,0x0037001f \
	+ RopQueryRows ForwardRead=1 RowCount=5

   Slot 0 is the logon. An operation works on what the one before it opened,
   unless InputHandleIndex says otherwise. */

#include "mapitest.h"
#include "mapi-wire-private.h"
#include "mapitest-walk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct raw {
	struct mapitest *test;
	struct client_logon *logon;
	struct client_batch *batch;
	/* what the next operation works on */
	uint8_t input;
	/* columns of the table behind a slot */
	struct {
		const uint32_t *tags;
		uint32_t count;
	} columns[ROP_HANDLES_MAX];
	unsigned int count;
};

static int raw_usage(const char *what, const char *arg)
{
	fprintf(stderr, "mapitest: raw: %s: %s\n", what, arg);
	return -1;
}

static bool parse_number(const char *value, uint64_t *number_r)
{
	char *end;

	if (strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0) {
		*number_r = strcasecmp(value, "true") == 0 ? 1 : 0;
		return true;
	}
	*number_r = *value == '-' ? (uint64_t)strtoll(value, &end, 0) :
		strtoull(value, &end, 0);
	return *value != '\0' && *end == '\0';
}

/* "Inbox", "1:0x10d", "0x10d" (of the replica that the logon told) */
static bool parse_id(struct raw *raw, const char *value, mapi_id_t *id_r)
{
	const char *colon = strchr(value, ':');
	uint64_t globcnt;
	unsigned int i;

	for (i = 0; i < 13; i++) {
		if (strcasecmp(value, folder_roles[i]) == 0) {
			*id_r = raw->logon->folder_ids[i];
			return true;
		}
	}
	if (!parse_number(colon == NULL ? value : colon + 1, &globcnt))
		return false;
	*id_r = MAPI_ID(colon == NULL ? raw->logon->repl_id : atoi(value),
			globcnt);
	return true;
}

/* "PidTagSubject", "0x0037001f" */
static bool parse_tag(const char *value, uint32_t *tag_r)
{
	uint64_t number;
	unsigned int i;

	for (i = 0; i < mapi_property_infos_count; i++) {
		if (strcasecmp(mapi_property_infos[i].name, value) == 0) {
			*tag_r = mapi_property_infos[i].tag;
			return true;
		}
	}
	if (!parse_number(value, &number))
		return false;
	*tag_r = number;
	return true;
}

static uint8_t *parse_hex(TALLOC_CTX *mem, const char *value, size_t *size_r)
{
	size_t i, len = strlen(value);
	uint8_t *data = talloc_array(mem, uint8_t, len / 2 + 1);
	char pair[3] = "";
	char *end;

	for (i = 0; i < len / 2; i++) {
		memcpy(pair, value + i * 2, 2);
		data[i] = strtoul(pair, &end, 16);
		if (*end != '\0')
			return NULL;
	}
	*size_r = len / 2;
	return len % 2 == 0 ? data : NULL;
}

static bool parse_restriction(struct raw *raw, const char *value,
			      struct mapi_restriction **res_r)
{
	struct mapi_pull pull;
	size_t size;
	uint8_t *data = parse_hex(raw->test->mem, value, &size);

	if (data == NULL)
		return false;
	mapi_pull_init(&pull, raw->test->mem, data, size);
	*res_r = mapi_pull_restriction(&pull);
	return *res_r != NULL;
}

/* "PidTagSubject:desc" */
static bool parse_sort_order(char *value, struct mapi_sort_order *order)
{
	char *colon = strchr(value, ':');

	if (colon != NULL) {
		*colon++ = '\0';
		order->order = strcasecmp(colon, "desc") == 0 ?
			MAPI_SORT_DESCENDING : atoi(colon);
	}
	return parse_tag(value, &order->tag);
}

static void store_number(void *p, unsigned int width, uint64_t number)
{
	switch (width) {
	case 1:
		*(uint8_t *)p = number;
		break;
	case 2:
		*(uint16_t *)p = number;
		break;
	case 4:
		*(uint32_t *)p = number;
		break;
	default:
		*(uint64_t *)p = number;
	}
}

/* One element at p. false: value can't be of the type. */
static bool
raw_parse_one(struct raw *raw, const struct wire_field *field, char *value,
	      void *p)
{
	uint64_t number;

	switch (field->type) {
	case WIRE_U8:
	case WIRE_U16:
	case WIRE_U32:
	case WIRE_U64:
	case WIRE_GLOBCNT:
		if (!parse_number(value, &number))
			return false;
		store_number(p, field->type == WIRE_U8 ? 1 :
			     field->type == WIRE_U16 ? 2 :
			     field->type == WIRE_U32 ? 4 : 8, number);
		return true;
	case WIRE_ID:
		return parse_id(raw, value, p);
	case WIRE_TAG:
		return parse_tag(value, p);
	case WIRE_GUID:
		return mapi_guid_parse(value, p);
	case WIRE_STRING8:
	case WIRE_STRING8_REST:
	case WIRE_UTF16:
	case WIRE_STRZ:
	case WIRE_TYPED_STRING:
		*(const char **)p = value;
		return true;
	case WIRE_SORT_ORDER:
		return parse_sort_order(value, p);
	case WIRE_LONG_TERM_ID:
		/* GUID:GLOBCNT */
		if (strchr(value, ':') == NULL)
			return false;
		*strchr(value, ':') = '\0';
		if (!parse_number(value + strlen(value) + 1, &number))
			return false;
		((struct mapi_long_term_id *)p)->globcnt = number;
		return mapi_guid_parse(value,
				       &((struct mapi_long_term_id *)p)->guid);
	case WIRE_RESTRICTION:
		return parse_restriction(raw, value, p);
	default:
		return false;
	}
}

static bool
raw_parse_field(struct raw *raw, const struct wire_field *field, void *req,
		const char *text)
{
	void *p = (char *)req + field->offset;
	char *value = talloc_strdup(raw->test->mem, text);
	unsigned int count = 0;
	uint8_t *data;
	char *item, *save;
	size_t size;

	if (field->type == WIRE_BYTES && field->array != WIRE_FIXED) {
		data = parse_hex(raw->test->mem, value, &size);
		if (data == NULL)
			return false;
		*(const uint8_t **)p = data;
		store_number((char *)req + field->count, field->count_width,
			     size);
		return true;
	}
	if (field->array == WIRE_SINGLE || field->type == WIRE_RESTRICTION)
		return raw_parse_one(raw, field, value, p);
	if (field->array == WIRE_FIXED)
		return false;
	data = talloc_zero_size(raw->test->mem,
				field->elem_size * (strlen(value) / 2 + 1));
	for (item = strtok_r(value, ",", &save); item != NULL;
	     item = strtok_r(NULL, ",", &save)) {
		if (!raw_parse_one(raw, field, item,
				   data + count * field->elem_size))
			return false;
		count++;
	}
	*(void **)p = data;
	store_number((char *)req + field->count, field->count_width, count);
	return true;
}

static const struct rop_codec *find_codec(const char *name)
{
	unsigned int i;
	uint64_t number;

	for (i = 0; i < 256; i++) {
		const char *codec_name = rop_codecs[i].name;

		if (codec_name == NULL)
			continue;
		if (strcasecmp(codec_name, name) == 0 ||
		    strcasecmp(codec_name + strlen("Rop"), name) == 0)
			return &rop_codecs[i];
	}
	return parse_number(name, &number) && number < 256 ?
		rop_codec_find(number) : NULL;
}

static int raw_set_field(struct raw *raw, const struct rop_codec *codec,
			 struct rop_request_header *req, char *arg)
{
	char *equals = strchr(arg, '=');
	unsigned int i;

	if (equals == NULL)
		return raw_usage("not FIELD=VALUE", arg);
	*equals = '\0';
	for (i = 0; i < codec->request->count; i++) {
		const struct wire_field *field = &codec->request->fields[i];

		if (strcasecmp(field->name, arg) != 0)
			continue;
		if (!raw_parse_field(raw, field, req, equals + 1))
			return raw_usage(arg, "that's no value for it");
		return 0;
	}
	fprintf(stderr, "mapitest: raw: %s has no field %s, but:", codec->name,
		arg);
	for (i = 0; i < codec->request->count; i++)
		fprintf(stderr, " %s", codec->request->fields[i].name);
	fputc('\n', stderr);
	return -1;
}

/* One operation: args up to a "+" or the end. Returns how many were used, or
   -1. */
static int raw_add(struct raw *raw, char **args, int count)
{
	const struct rop_codec *codec = find_codec(args[0]);
	struct rop_request_header *req;
	const uint32_t *columns = NULL;
	uint32_t column_count = 0;
	int i;

	if (codec == NULL || codec->request == NULL)
		return raw_usage("there is no such operation", args[0]);
	req = talloc_zero_size(raw->test->mem, rop_request_size(codec));
	req->rop_id = codec->id;
	req->input_index = raw->input;
	if ((codec->flags & ROP_OUTPUT) != 0)
		req->output_index = client_batch_output(raw->batch);
	else if ((codec->flags & (ROP_DEST | ROP_RESPONSE)) != 0)
		req->output_index = raw->input;
	for (i = 1; i < count && strcmp(args[i], "+") != 0; i++) {
		if (raw_set_field(raw, codec, req, args[i]) < 0)
			return -1;
	}
	if (codec->id == ROP_SET_COLUMNS) {
		struct rop_set_columns_request *set = (void *)req;

		raw->columns[req->input_index].tags = set->property_tags;
		raw->columns[req->input_index].count = set->property_tag_count;
	} else if (codec->id == ROP_GET_PROPERTIES_SPECIFIC) {
		struct rop_get_properties_specific_request *get = (void *)req;

		columns = get->property_tags;
		column_count = get->property_tag_count;
	} else {
		columns = raw->columns[req->input_index].tags;
		column_count = raw->columns[req->input_index].count;
	}
	client_batch_add(raw->batch, req, columns, column_count);
	raw->count++;
	if ((codec->flags & ROP_OUTPUT) != 0)
		raw->input = req->output_index;
	return i < count ? i + 1 : i;
}

int mapitest_raw(struct mapitest *test)
{
	struct raw raw = { .test = test };
	struct client_session *session;
	struct client_error error;
	unsigned int n, failed = 0;
	int i, used, ret;

	if (test->argc == 0) {
		raw_usage("no operation", "RopXYZ FIELD=VALUE .. [+ RopXYZ ..]");
		return MAPITEST_USAGE;
	}
	ret = mapitest_logon(test, &session, &raw.logon);
	if (ret != MAPITEST_OK)
		return ret;
	raw.batch = client_batch_new(session, test->mem);
	session->trace = stdout;
	raw.input = client_batch_handle(raw.batch, raw.logon->obj.handle);
	for (i = 0; i < test->argc; i += used) {
		used = raw_add(&raw, test->argv + i, test->argc - i);
		if (used < 0)
			return MAPITEST_USAGE;
	}
	client_error_clear(&error);
	snprintf(error.step, sizeof(error.step), "execute");
	if (client_batch_execute(raw.batch, &error) < 0)
		return mapitest_fail(&error);
	for (n = 0; n < raw.count; n++) {
		if (client_batch_value(raw.batch, n) != EC_NONE)
			failed++;
	}
	session->trace = test->verbose ? stderr : NULL;
	snprintf(error.step, sizeof(error.step), "disconnect");
	if (client_session_disconnect(session, &error) < 0)
		return mapitest_fail(&error);
	return failed > 0 ? MAPITEST_FAILED : MAPITEST_OK;
}
