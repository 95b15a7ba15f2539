#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "data/idx.h"
#include "data/source.h"

#define URL_MAX 1024
/* Slower than this many bytes a second for so many seconds is no source. */
#define SLOW_BYTES 1000L
#define SLOW_SECONDS 30L
#define CONNECT_SECONDS 20L

typedef struct mirror {
    CURL *curl;
    const char *where;
    const data_watch *watch;
    const data_file *file; /* of the download under way */
    base_writer body;
    bool too_large;
    char error[CURL_ERROR_SIZE];
} mirror;

static size_t receive(char *bytes, size_t size, size_t count, void *user) {
    mirror *m = user;
    /* gzip adds next to nothing to what it cannot shrink. */
    const size_t limit = m->file->size + m->file->size / 64 + 4096;
    if (size * count > limit - m->body.count) {
        m->too_large = true;
        return 0;
    }
    base_write_bytes(&m->body, bytes, size * count);
    return m->body.failed ? 0 : size * count;
}

static int show(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up) {
    const mirror *m = user;
    (void)up_total;
    (void)up;
    double part = total > 0 && now <= total ? (double)now / (double)total : 0.0;
    return data_watch_show(m->watch, (uint64_t)(part * (double)m->file->size), NULL) != ADMMNN_OK;
}

static bool configure(mirror *m) {
    CURL *c = m->curl;
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,file") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "admmnn") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, m->error) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, m) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, show) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFODATA, m) == CURLE_OK;
}

static void mirror_close(void *state) {
    mirror *m = state;
    curl_easy_cleanup(m->curl);
    base_free(m);
    curl_global_cleanup();
}

static admmnn_status mirror_open(const char *where, const data_watch *watch, void **state,
                                 admmnn_error *err) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return base_fail(err, ADMMNN_IO, "libcurl does not start");
    mirror *m = base_array(1, sizeof *m);
    if (m == NULL) {
        curl_global_cleanup();
        return base_fail_memory(err, "a download");
    }
    m->where = where;
    m->watch = watch;
    m->curl = curl_easy_init();
    if (m->curl == NULL || !configure(m)) {
        mirror_close(m);
        return base_fail(err, ADMMNN_IO, "libcurl does not start");
    }
    *state = m;
    return ADMMNN_OK;
}

/* name: the end of the URL; the rest is in what the caller says of the source. */
static admmnn_status download(mirror *m, const char *url, const char *name, admmnn_error *err) {
    m->error[0] = 0;
    m->too_large = false;
    CURLcode result = curl_easy_setopt(m->curl, CURLOPT_URL, url);
    if (result == CURLE_OK)
        result = curl_easy_perform(m->curl);
    if (result == CURLE_OK)
        return ADMMNN_OK;
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return base_fail(err, ADMMNN_CANCELLED, "stopped while %s was fetched", name);
    if (result == CURLE_OUT_OF_MEMORY || m->body.failed)
        return base_fail_memory(err, name);
    if (m->too_large)
        return base_fail(err, ADMMNN_CORRUPT, "%s: larger than the true file", name);
    return base_fail(err, ADMMNN_IO, "%s: %s", name,
                     m->error[0] != 0 ? m->error : curl_easy_strerror(result));
}

static admmnn_status take_body(const mirror *m, const char *name, uint8_t **bytes, size_t *count,
                               admmnn_error *err) {
    *bytes = base_array_copy(m->body.bytes, m->body.count, 1);
    *count = m->body.count;
    return *bytes == NULL ? base_fail_memory(err, name) : ADMMNN_OK;
}

static admmnn_status mirror_take(void *state, const data_file *file, uint8_t **bytes, size_t *count,
                                 admmnn_error *err) {
    mirror *m = state;
    char url[URL_MAX];
    int used = snprintf(url, sizeof url, "%s%s%s", m->where, file->name, file->bare ? "" : ".gz");
    if (used < 0 || (size_t)used >= sizeof url)
        return base_fail(err, ADMMNN_INPUT, "%.64s: too long", m->where);
    const char *name = url + strlen(m->where);
    m->file = file;
    admmnn_status status = download(m, url, name, err);
    if (status == ADMMNN_OK && file->bare)
        status = take_body(m, name, bytes, count, err);
    else if (status == ADMMNN_OK)
        status = data_gunzip(name, m->body.bytes, m->body.count, file->size, bytes, count, err);
    base_writer_free(&m->body);
    return status;
}

const data_source_kind data_source_mirror = {"mirror", mirror_open, mirror_take, mirror_close};
