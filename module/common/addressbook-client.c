/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "hash.h"
#include "ioloop.h"
#include "lib-event.h"
#include "llist.h"
#include "net.h"
#include "str.h"
#include "strescape.h"
#include "strnum.h"
#include "time-util.h"
#include "unichar.h"
#include "addressbook-client.h"

#include <poll.h>
#include <unistd.h>

#define HANDSHAKE "VERSION\tmapi-addressbook-lookup\t1\t0"
/* A value that nobody has, and that needn't be asked for */
#define VALUE_MAX 1024
/* Longest answer */
#define LINE_MAX_SIZE (16 * 1024)
/* So many questions are sent before their answers are read, so that these fit
   into what the server keeps for a client. */
#define PIPELINE_MAX 256

const struct addressbook_client_settings addressbook_client_defaults = {
	.timeout_msecs = 500,
	.retry_msecs = 5 * 1000,
	.idle_msecs = 10 * 1000,
	.found_secs = 5 * 60,
	.notfound_secs = 60,
	.max_answers = 5000,
};

/* key is the kind of the question and its value. */
struct answer {
	struct answer *prev, *next;
	const char *key;
	time_t expires;
	pool_t pool;
	/* legacy_dn is NULL if there's nobody */
	struct mapi_directory_object object;
};

struct addressbook_client {
	struct mapi_directory dir;
	struct addressbook_client_settings set;
	char *path;
	struct event *event;

	HASH_TABLE(const char *, struct answer *) answers;
	/* the one that was used last is the last */
	struct answer *oldest, *newest;

	int fd;
	struct timeout *to_idle;
	uint32_t last_id;
	buffer_t *input;
	/* nobody is asked before; 0 if the last lookup was fine */
	struct timeval retry_time;
	/* of the questions under way */
	struct timeval deadline;
	const char *error;
};

static const char *const key_names[MAPI_DIRECTORY_KEY_COUNT] = {
	"address", "legacy-dn", "username"
};

/* --- answers --------------------------------------------------------------- */

static const char *
t_answer_key(enum mapi_directory_key key, const char *value)
{
	/* usernames are with case */
	return t_strdup_printf("%u%s", key, key == MAPI_DIRECTORY_USERNAME ?
			       value : t_str_lcase(value));
}

static void answer_free(struct addressbook_client *client,
			struct answer *answer)
{
	hash_table_remove(client->answers, answer->key);
	DLLIST2_REMOVE(&client->oldest, &client->newest, answer);
	pool_unref(&answer->pool);
}

static struct answer *
answer_find(struct addressbook_client *client, enum mapi_directory_key key,
	    const char *value)
{
	struct answer *answer;

	T_BEGIN {
		answer = hash_table_lookup(client->answers,
					   t_answer_key(key, value));
	} T_END;
	if (answer != NULL) {
		DLLIST2_REMOVE(&client->oldest, &client->newest, answer);
		DLLIST2_APPEND(&client->oldest, &client->newest, answer);
	}
	return answer;
}

/* object: NULL if there's nobody */
static struct answer *
answer_add(struct addressbook_client *client, enum mapi_directory_key key,
	   const char *value, const struct mapi_directory_object *object)
{
	struct answer *answer = answer_find(client, key, value);
	pool_t pool;

	/* the same may be asked twice in a lookup; objects stay valid */
	if (answer != NULL)
		return answer;
	pool = pool_alloconly_create("address book answer", 256);
	answer = p_new(pool, struct answer, 1);
	answer->pool = pool;
	T_BEGIN {
		answer->key = p_strdup(pool, t_answer_key(key, value));
	} T_END;
	answer->expires = ioloop_time + (object != NULL ?
		client->set.found_secs : client->set.notfound_secs);
	if (object != NULL) {
		answer->object.legacy_dn = p_strdup(pool, object->legacy_dn);
		answer->object.name = p_strdup(pool, object->name);
		answer->object.address = p_strdup(pool, object->address);
		answer->object.username = p_strdup(pool, object->username);
		if (object->delegates != NULL) {
			answer->object.delegates =
				p_strarray_dup(pool, object->delegates);
		}
		answer->object.object_type = object->object_type;
		answer->object.display_type = object->display_type;
	}
	hash_table_insert(client->answers, answer->key, answer);
	DLLIST2_APPEND(&client->oldest, &client->newest, answer);
	return answer;
}

static const struct mapi_directory_object *
answer_object(const struct answer *answer)
{
	return answer == NULL || answer->object.legacy_dn == NULL ? NULL :
		&answer->object;
}

/* Only here answers go away: what a lookup has found stays until the next. */
static void answers_clean(struct addressbook_client *client)
{
	struct answer *answer, *next;

	for (answer = client->oldest; answer != NULL; answer = next) {
		next = answer->next;
		if (answer->expires <= ioloop_time)
			answer_free(client, answer);
	}
	while (hash_table_count(client->answers) > client->set.max_answers)
		answer_free(client, client->oldest);
}

/* --- connection ------------------------------------------------------------ */

static void client_disconnect(struct addressbook_client *client)
{
	timeout_remove(&client->to_idle);
	i_close_fd(&client->fd);
	buffer_set_used_size(client->input, 0);
}

/* Waits for the connection. -1 if it's too late. */
static int client_wait(struct addressbook_client *client, short events,
		       short *revents_r)
{
	struct pollfd pfd = { .fd = client->fd, .events = events };
	struct timeval now;
	int msecs, ret;

	do {
		i_gettimeofday(&now);
		msecs = timeval_diff_msecs(&client->deadline, &now);
		if (msecs <= 0) {
			client->error = "Timeout";
			return -1;
		}
		ret = poll(&pfd, 1, msecs);
	} while (ret == 0 || (ret < 0 && errno == EINTR));
	if (ret < 0) {
		client->error = t_strdup_printf("poll() failed: %m");
		return -1;
	}
	*revents_r = pfd.revents;
	return 0;
}

static int client_read(struct addressbook_client *client)
{
	unsigned char buf[8192];
	ssize_t ret;

	ret = read(client->fd, buf, sizeof(buf));
	if (ret > 0) {
		buffer_append(client->input, buf, ret);
		return 0;
	}
	if (ret < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	client->error = ret == 0 ? "Connection closed" :
		t_strdup_printf("read() failed: %m");
	return -1;
}

/* The next line of the input, on the data stack; NULL if there's none yet. */
static const char *client_next_line(struct addressbook_client *client)
{
	const char *data = client->input->data, *end, *line;

	end = client->input->used == 0 ? NULL :
		memchr(data, '\n', client->input->used);
	if (end == NULL)
		return NULL;
	line = t_strdup_until(data, end);
	buffer_delete(client->input, 0, end - data + 1);
	return line;
}

/* --- questions --------------------------------------------------------------- */

/* A number of questions under way */
struct pipeline {
	struct mapi_directory_question **questions;
	unsigned int count, answered;
	uint32_t first_id;
};

static int
answer_parse_fields(const char *const *args,
		    struct mapi_directory_object *object_r)
{
	ARRAY_TYPE(const_string) delegates;
	const char *value;

	i_zero(object_r);
	t_array_init(&delegates, 4);
	for (; *args != NULL; args++) {
		value = strchr(*args, '=');
		if (value == NULL || !uni_utf8_str_is_valid(*args))
			return -1;
		value++;
		if (str_begins(*args, "dn="))
			object_r->legacy_dn = value;
		else if (str_begins(*args, "name="))
			object_r->name = value;
		else if (str_begins(*args, "address="))
			object_r->address = value;
		else if (str_begins(*args, "username="))
			object_r->username = value;
		else if (str_begins(*args, "delegate="))
			array_push_back(&delegates, &value);
		else if (str_begins(*args, "type=") &&
			 str_to_uint32(value, &object_r->display_type) < 0)
			return -1;
		else if (str_begins(*args, "object=") &&
			 str_to_uint32(value, &object_r->object_type) < 0)
			return -1;
	}
	if (array_count(&delegates) > 0) {
		array_append_zero(&delegates);
		object_r->delegates = array_front(&delegates);
	}
	return object_r->legacy_dn == NULL || *object_r->legacy_dn == '\0' ||
		object_r->name == NULL || *object_r->name == '\0' ? -1 : 0;
}

/* Answers come in the order of the questions. */
static int
client_answer(struct addressbook_client *client, struct pipeline *pipeline,
	      const char *line)
{
	struct mapi_directory_question *question;
	const char *const *args = t_strsplit_tabescaped(line);
	struct mapi_directory_object object;
	struct answer *answer;
	uint32_t id;

	if (str_array_length(args) < 2 || str_to_uint32(args[1], &id) < 0 ||
	    pipeline->answered == pipeline->count ||
	    id != (uint32_t)(pipeline->first_id + pipeline->answered))
		return -1;
	question = pipeline->questions[pipeline->answered];
	if (strcmp(args[0], "NOTFOUND") == 0) {
		answer = answer_add(client, question->key, question->value,
				    NULL);
	} else if (strcmp(args[0], "OK") == 0 &&
		   answer_parse_fields(args + 2, &object) == 0) {
		answer = answer_add(client, question->key, question->value,
				    &object);
	} else {
		return -1;
	}
	question->object = answer_object(answer);
	pipeline->answered++;
	return 0;
}

static int
client_handle_input(struct addressbook_client *client,
		    struct pipeline *pipeline, bool *handshaked)
{
	const char *line;
	int ret = 0;

	if (client_read(client) < 0)
		return -1;
	while (ret == 0) T_BEGIN {
		line = client_next_line(client);
		if (line == NULL)
			ret = 1;
		else if (*handshaked)
			ret = client_answer(client, pipeline, line);
		else if (str_begins(line,
				    "VERSION\tmapi-addressbook-lookup\t1\t"))
			*handshaked = TRUE;
		else
			ret = -1;
	} T_END;
	if (ret < 0 || client->input->used > LINE_MAX_SIZE) {
		client->error = "Server sent an invalid line";
		return -1;
	}
	return 0;
}

static int
client_exchange(struct addressbook_client *client, struct pipeline *pipeline,
		const string_t *output, bool handshaked)
{
	size_t sent = 0;
	short revents;
	ssize_t ret;

	while (pipeline->answered < pipeline->count) {
		if (client_wait(client, POLLIN |
				(sent < str_len(output) ? POLLOUT : 0),
				&revents) < 0)
			return -1;
		if ((revents & POLLOUT) != 0) {
			ret = write(client->fd, str_data(output) + sent,
				    str_len(output) - sent);
			if (ret < 0 && errno != EAGAIN && errno != EINTR) {
				client->error = t_strdup_printf(
					"write() failed: %m");
				return -1;
			}
			if (ret > 0)
				sent += ret;
		}
		if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		    client_handle_input(client, pipeline, &handshaked) < 0)
			return -1;
	}
	return 0;
}

static int
client_ask_once(struct addressbook_client *client, struct pipeline *pipeline)
{
	string_t *output = t_str_new(1024);
	bool fresh = client->fd == -1;
	unsigned int i;

	if (fresh) {
		client->fd = net_connect_unix(client->path);
		if (client->fd == -1) {
			client->error = t_strdup_printf("connect() failed: %m");
			return -1;
		}
		net_set_nonblock(client->fd, TRUE);
		str_append(output, HANDSHAKE"\n");
	}
	pipeline->first_id = client->last_id + 1;
	for (i = pipeline->answered; i < pipeline->count; i++) {
		str_printfa(output, "LOOKUP\t%u\t%s\t",
			    (uint32_t)(pipeline->first_id + i),
			    key_names[pipeline->questions[i]->key]);
		str_append_tabescaped(output, pipeline->questions[i]->value);
		str_append_c(output, '\n');
	}
	client->last_id += pipeline->count;
	return client_exchange(client, pipeline, output, !fresh);
}

static int
client_ask(struct addressbook_client *client, struct pipeline *pipeline)
{
	bool reused = client->fd != -1;
	struct timeval now;
	int ret;

	ret = client_ask_once(client, pipeline);
	if (ret == 0)
		return 0;
	client_disconnect(client);
	i_gettimeofday(&now);
	if (reused && timeval_cmp(&now, &client->deadline) < 0) {
		/* the server may have been restarted since */
		ret = client_ask_once(client, pipeline);
		if (ret < 0)
			client_disconnect(client);
	}
	return ret;
}

static bool client_may_ask(struct addressbook_client *client)
{
	struct timeval now;

	if (client->retry_time.tv_sec == 0)
		return TRUE;
	i_gettimeofday(&now);
	return timeval_cmp(&now, &client->retry_time) >= 0;
}

static void client_failed(struct addressbook_client *client)
{
	/* Once, not every time that it's tried again. That it isn't there is
	   how it is where there's no directory. */
	if (client->retry_time.tv_sec == 0) {
		e_debug(client->event, "Address book %s: %s", client->path,
			client->error);
	}
	i_gettimeofday(&client->retry_time);
	timeval_add_msecs(&client->retry_time, client->set.retry_msecs);
}

/* --- interface ----------------------------------------------------------------- */

static bool
addressbook_client_peek(struct mapi_directory *dir,
			enum mapi_directory_key key, const char *value,
			const struct mapi_directory_object **object_r)
{
	struct addressbook_client *client = (struct addressbook_client *)dir;
	struct answer *answer = answer_find(client, key, value);

	*object_r = answer_object(answer);
	return answer != NULL || strlen(value) > VALUE_MAX ||
		!client_may_ask(client);
}

static void
addressbook_client_ask_all(struct addressbook_client *client,
			   struct mapi_directory_question **wanted,
			   unsigned int count)
{
	struct pipeline pipeline;
	unsigned int i;
	int ret;

	client->error = NULL;
	for (i = 0; i < count; i += pipeline.count) {
		i_gettimeofday(&client->deadline);
		timeval_add_msecs(&client->deadline, client->set.timeout_msecs);
		i_zero(&pipeline);
		pipeline.questions = wanted + i;
		pipeline.count = I_MIN(count - i, PIPELINE_MAX);
		T_BEGIN {
			ret = client_ask(client, &pipeline);
			if (ret < 0)
				client_failed(client);
		} T_END;
		if (ret < 0)
			return;
	}
	i_zero(&client->retry_time);
}

static void
addressbook_client_lookup(struct mapi_directory *dir,
			  struct mapi_directory_question *questions,
			  unsigned int count)
{
	struct addressbook_client *client = (struct addressbook_client *)dir;
	struct mapi_directory_question **wanted;
	struct answer *answer;
	unsigned int i, wanted_count = 0;

	answers_clean(client);
	wanted = i_new(struct mapi_directory_question *, I_MAX(count, 1));
	for (i = 0; i < count; i++) {
		answer = answer_find(client, questions[i].key,
				     questions[i].value);
		questions[i].object = answer_object(answer);
		if (answer == NULL && strlen(questions[i].value) <= VALUE_MAX)
			wanted[wanted_count++] = &questions[i];
	}
	if (wanted_count > 0 && client_may_ask(client)) {
		/* its loop may be another now */
		timeout_remove(&client->to_idle);
		addressbook_client_ask_all(client, wanted, wanted_count);
		if (client->fd != -1 && current_ioloop != NULL) {
			client->to_idle = timeout_add(client->set.idle_msecs,
						      client_disconnect,
						      client);
		}
	}
	i_free(wanted);
}

struct mapi_directory *
addressbook_client_init(const struct addressbook_client_settings *set,
			struct event *event)
{
	struct addressbook_client *client;

	client = i_new(struct addressbook_client, 1);
	client->dir.peek = addressbook_client_peek;
	client->dir.lookup = addressbook_client_lookup;
	client->set = *set;
	client->path = i_strdup(set->path);
	client->event = event_create(event);
	client->fd = -1;
	client->input = buffer_create_dynamic(default_pool, 1024);
	hash_table_create(&client->answers, default_pool, 0, str_hash, strcmp);
	return &client->dir;
}

void addressbook_client_deinit(struct mapi_directory **_dir)
{
	struct addressbook_client *client = (struct addressbook_client *)*_dir;

	*_dir = NULL;
	client_disconnect(client);
	while (client->oldest != NULL)
		answer_free(client, client->oldest);
	hash_table_destroy(&client->answers);
	buffer_free(&client->input);
	event_unref(&client->event);
	i_free(client->path);
	i_free(client);
}
