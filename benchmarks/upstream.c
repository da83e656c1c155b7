/*
 * A model API that costs next to nothing: one epoll thread, every answer rendered beforehand.
 *
 *     cc -O2 -o upstream upstream.c && ./upstream        prints the port it listens on
 *
 * It answers every POST like OpenAI's /chat/completions, with JSON or, if the body says
 * "stream": true, with server-sent events. The first segment of the path is the scenario, so one
 * server serves every measure at once: http://127.0.0.1:PORT/n200-d1000/v1/chat/completions
 *
 *     lat  milliseconds before the answer begins         (0)
 *     n    content chunks of a stream                    (20)
 *     b    chunks per write; 0 is as many as the socket takes
 *     d    microseconds between the writes of a stream   (0; otherwise b is at least 1)
 *
 * It ends when its standard input does, so it never outlives the benchmark that started it.
 *
 * With the argument `awake` it looks for work for a while before it sleeps. To wake a process on
 * another core costs a client's send 10 us or nothing, as it happens, and a model API in the next
 * room wakes nobody here: it is to have a core of its own then.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1 << 17, MAX_EVENTS = 512, READ_SIZE = 1 << 18 };
enum { AWAKE_NANOSECONDS = 20 * 1000 * 1000 };

static const char *const WORDS[] = {" the", " quick", " brown", " fox", " jumps",
                                    " over", " a", " lazy", " dog", "."};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS };

static const char USAGE[] =
    "{\"prompt_tokens\":19,\"completion_tokens\":20,\"total_tokens\":39,"
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
    "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";

/* What OpenAI sends with every answer: clients parse it, so it belongs to the cost of a call. */
static const char HEADERS[] =
    "x-request-id: req_7d3f0c5b9a1e4f2c8b6d\r\n"
    "x-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-limit-tokens: 2000000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\n"
    "x-ratelimit-remaining-tokens: 1999950\r\n"
    "x-ratelimit-reset-requests: 6ms\r\n"
    "x-ratelimit-reset-tokens: 1ms\r\n"
    "openai-processing-ms: 1\r\n"
    "openai-version: 2020-10-01\r\n"
    "server: upstream\r\n";

/* ---- text and scenarios ---- */

struct text {
    char *data;
    size_t length, capacity;
};

static void append(struct text *text, const char *data, size_t length) {
    if (text->length + length + 1 > text->capacity) {
        text->capacity = (text->length + length + 1) * 2;
        text->data = realloc(text->data, text->capacity);
    }
    memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = 0;
}

__attribute__((format(printf, 2, 3)))
static void print(struct text *text, const char *format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    append(text, line, length);
}

/* An answer is sent in one or more writes; stops[i] is the offset at which write i ends. */
struct answer {
    struct text bytes;
    size_t *stops;
    int stop_count;
};

struct scenario {
    char name[64];
    double lat, n, b, d;
    struct answer whole, stream, stream_with_usage;
    struct scenario *next;
};

static void stop_here(struct answer *answer) {
    answer->stops = realloc(answer->stops, (answer->stop_count + 1) * sizeof *answer->stops);
    answer->stops[answer->stop_count++] = answer->bytes.length;
}

static void render_whole(struct answer *answer) {
    struct text body = {0};
    print(&body, "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion\","
                 "\"created\":1741569952,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,"
                 "\"message\":{\"role\":\"assistant\",\"content\":\"");
    for (int i = 0; i < WORD_COUNT; i++) print(&body, "%s", WORDS[i]);
    print(&body, "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                 "\"usage\":%s,\"service_tier\":\"default\",\"system_fingerprint\":\"fp_06737a9306\"}", USAGE);
    print(&answer->bytes, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n%s\r\n",
          body.length, HEADERS);
    append(&answer->bytes, body.data, body.length);
    stop_here(answer);
    free(body.data);
}

/* One event is one HTTP chunk, as real servers send them, however many share a write. */
static void add_event(struct answer *answer, const char *data) {
    print(&answer->bytes, "%zx\r\ndata: %s\n\n\r\n", strlen(data) + 8, data);
}

static void add_chunk(struct answer *answer, const char *choices, const char *usage) {
    char data[2048];
    snprintf(data, sizeof data,
             "{\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG\",\"object\":\"chat.completion.chunk\","
             "\"created\":1741570283,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\","
             "\"system_fingerprint\":\"fp_06737a9306\",\"choices\":[%s]%s%s}",
             choices, usage ? ",\"usage\":" : "", usage ? usage : "");
    add_event(answer, data);
}

static void render_stream(struct answer *answer, const struct scenario *scenario, int with_usage) {
    char choice[256];
    const char *no_usage = with_usage ? "null" : NULL;
    print(&answer->bytes, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                          "transfer-encoding: chunked\r\n%s\r\n", HEADERS);
    add_chunk(answer, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"
                      "\"logprobs\":null,\"finish_reason\":null}", no_usage);
    for (int i = 0; i < scenario->n; i++) {
        snprintf(choice, sizeof choice,
                 "{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}",
                 WORDS[i % WORD_COUNT]);
        add_chunk(answer, choice, no_usage);
        if (scenario->b > 0 && (i + 1) % (int)scenario->b == 0) stop_here(answer);
    }
    add_chunk(answer, "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}", no_usage);
    if (with_usage) add_chunk(answer, "", USAGE);
    add_event(answer, "[DONE]");
    print(&answer->bytes, "0\r\n\r\n");
    stop_here(answer);
}

static void read_setting(struct scenario *scenario, const char *name, size_t length, double value) {
    if (length == 3 && !memcmp(name, "lat", 3)) scenario->lat = value;
    if (length == 1 && *name == 'n') scenario->n = value;
    if (length == 1 && *name == 'b') scenario->b = value;
    if (length == 1 && *name == 'd') scenario->d = value;
}

/* The scenario of that name, rendered the first time it is asked for. */
static struct scenario *find_scenario(const char *name, size_t length) {
    static struct scenario *known;
    if (length >= sizeof known->name) length = 0;
    for (struct scenario *each = known; each; each = each->next)
        if (strlen(each->name) == length && !memcmp(each->name, name, length)) return each;
    struct scenario *scenario = calloc(1, sizeof *scenario);
    memcpy(scenario->name, name, length);
    scenario->n = 20;
    for (char *word = scenario->name; *word;) {
        char *number = word, *end;
        while (isalpha((unsigned char)*number)) number++;
        double value = strtod(number, &end);
        read_setting(scenario, word, number - word, value);
        while (*end && *end != '-') end++;
        word = *end ? end + 1 : end;
    }
    if (scenario->d > 0 && scenario->b < 1) scenario->b = 1;
    render_whole(&scenario->whole);
    render_stream(&scenario->stream, scenario, 0);
    render_stream(&scenario->stream_with_usage, scenario, 1);
    scenario->next = known;
    return known = scenario;
}

/* ---- connections and timers ---- */

enum state { READING, WAITING, WRITING };

struct connection {
    int fd, write_index, wants_out;
    enum state state;
    uint32_t generation; /* a descriptor is used again; the timer of its former owner must not fire */
    struct text input;
    const struct scenario *scenario;
    const struct answer *answer;
    size_t position;
};

struct timer {
    uint64_t due;
    int fd;
    uint32_t generation;
};

static struct connection *connections[MAX_CONNECTIONS];
static int poll_fd;
static struct timer *timers; /* a binary heap */
static int timer_count, timer_capacity;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void wait_for(struct connection *connection, double nanoseconds) {
    connection->state = WAITING;
    if (timer_count == timer_capacity) {
        timer_capacity = timer_capacity ? timer_capacity * 2 : 1024;
        timers = realloc(timers, timer_capacity * sizeof *timers);
    }
    uint64_t due = now() + (uint64_t)nanoseconds;
    int i = timer_count++;
    for (; i && timers[(i - 1) / 2].due > due; i = (i - 1) / 2) timers[i] = timers[(i - 1) / 2];
    timers[i] = (struct timer){due, connection->fd, connection->generation};
}

static struct timer first_timer(void) {
    struct timer first = timers[0], last = timers[--timer_count];
    int i = 0;
    for (int child; (child = 2 * i + 1) < timer_count; i = child) {
        if (child + 1 < timer_count && timers[child + 1].due < timers[child].due) child++;
        if (timers[child].due >= last.due) break;
        timers[i] = timers[child];
    }
    timers[i] = last;
    return first;
}

static void hang_up(struct connection *connection) {
    connections[connection->fd] = NULL;
    close(connection->fd);
    free(connection->input.data);
    free(connection);
}

static void want_out(struct connection *connection, int wanted) {
    if (connection->wants_out == wanted) return;
    connection->wants_out = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.fd = connection->fd};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void read_request(struct connection *connection);

/* Send what may be sent now; go on with the next request when the answer is complete. */
static void send_answer(struct connection *connection) {
    const struct answer *answer = connection->answer;
    connection->state = WRITING;
    while (connection->write_index < answer->stop_count) {
        size_t stop = answer->stops[connection->write_index];
        while (connection->position < stop) {
            ssize_t sent = send(connection->fd, answer->bytes.data + connection->position,
                                stop - connection->position, MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) return want_out(connection, 1);
            if (sent < 0) return hang_up(connection);
            connection->position += sent;
        }
        if (++connection->write_index < answer->stop_count && connection->scenario->d > 0) {
            want_out(connection, 0);
            return wait_for(connection, connection->scenario->d * 1e3);
        }
    }
    want_out(connection, 0);
    connection->state = READING;
    read_request(connection);
}

static int says_true(const char *body, const char *name) {
    const char *found = strstr(body, name);
    if (!found) return 0;
    found += strlen(name);
    while (*found == ' ') found++;
    return *found == 't';
}

/* Take one request from the input, if it is complete, and begin its answer. */
static void read_request(struct connection *connection) {
    struct text *input = &connection->input;
    char *head_end = input->length ? memmem(input->data, input->length, "\r\n\r\n", 4) : NULL;
    if (!head_end) return;
    *head_end = 0;
    char *header = strcasestr(input->data, "\r\ncontent-length:");
    size_t body_length = header ? strtoul(header + 17, NULL, 10) : 0;
    *head_end = '\r';
    size_t total = head_end + 4 - input->data + body_length;
    if (input->length < total) return;

    char *body = head_end + 4, after = body[body_length];
    body[body_length] = 0;
    char *name = memchr(input->data, '/', head_end - input->data);
    size_t name_length = name ? strcspn(name + 1, "/ ") : 0;
    struct scenario *scenario = find_scenario(name ? name + 1 : "", name_length);
    connection->scenario = scenario;
    connection->answer = !says_true(body, "\"stream\":")         ? &scenario->whole
                         : says_true(body, "\"include_usage\":") ? &scenario->stream_with_usage
                                                                 : &scenario->stream;
    body[body_length] = after;
    memmove(input->data, input->data + total, input->length - total);
    input->length -= total;
    connection->write_index = connection->position = 0;
    if (scenario->lat > 0) wait_for(connection, scenario->lat * 1e6);
    else send_answer(connection);
}

static void accept_all(int listener) {
    int one = 1;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= MAX_CONNECTIONS) {
            close(fd);
            continue;
        }
        static uint32_t generations;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[fd] = calloc(1, sizeof(struct connection));
        connections[fd]->fd = fd;
        connections[fd]->generation = ++generations;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void receive(struct connection *connection) {
    static char data[READ_SIZE];
    ssize_t length = recv(connection->fd, data, sizeof data, 0);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) return hang_up(connection);
    append(&connection->input, data, length);
    if (connection->state == READING) read_request(connection);
}

static void run_timers(void) {
    uint64_t time = timer_count ? now() : 0;
    while (timer_count && timers[0].due <= time) {
        struct timer timer = first_timer();
        struct connection *connection = connections[timer.fd];
        if (connection && connection->generation == timer.generation) send_answer(connection);
    }
}

static int listen_anywhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 65535) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("upstream");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count_of_arguments, char **arguments) {
    struct epoll_event events[MAX_EVENTS];
    int awake = count_of_arguments > 1 && !strcmp(arguments[1], "awake");
    uint64_t busy_at = 0;
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_anywhere();
    poll_fd = epoll_create1(0);
    struct epoll_event listening = {.events = EPOLLIN, .data.fd = listener};
    struct epoll_event parent = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &listening);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &parent);
    for (;;) {
        uint64_t time = timer_count || awake ? now() : 0;
        uint64_t left = timer_count && timers[0].due > time ? timers[0].due - time : 0;
        int forever = !timer_count;
        if (awake && time - busy_at < AWAKE_NANOSECONDS) left = forever = 0;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        int count = epoll_pwait2(poll_fd, events, MAX_EVENTS, forever ? NULL : &wait, NULL);
        if (awake && count > 0) busy_at = now();
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) return 0;
            if (fd == listener) accept_all(listener);
            else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connections[fd]);
            else if (connections[fd]->state == WRITING) send_answer(connections[fd]);
        }
        run_timers();
    }
}
