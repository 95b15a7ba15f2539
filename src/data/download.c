#include "data/download.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/memory.h"

#define URL_MAX 1024
/* Slower than this many bytes a second for so many seconds is no source. */
#define SLOW_BYTES 1000L
#define SLOW_SECONDS 30L
#define CONNECT_SECONDS 20L

struct download {
    CURL *curl;
    data_watch *watch;
    /* Of the file under way. */
    base_writer *to;
    size_t received, most;
    bool too_large;
    char error[CURL_ERROR_SIZE];
};

static size_t receive(char *bytes, size_t size, size_t count, void *user) {
    download *d = user;
    if (size * count > d->most - d->received) {
        d->too_large = true;
        return 0;
    }
    d->received += size * count;
    base_write_bytes(d->to, bytes, size * count);
    return d->to->failed ? 0 : size * count;
}

static int show(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up) {
    const download *d = user;
    (void)up_total;
    (void)up;
    const uint64_t left = d->watch->total - d->watch->done;
    const double whole = (double)(d->most < left ? d->most : left);
    const double part = total > 0 && now <= total ? (double)now / (double)total : 0.0;
    return data_watch_show(d->watch, (uint64_t)(part * whole), NULL) != ADMMNN_OK;
}

static bool configure(download *d) {
    CURL *c = d->curl;
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
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->error) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, d) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, show) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFODATA, d) == CURLE_OK;
}

void download_close(download *d) {
    curl_easy_cleanup(d->curl);
    base_free(d);
    curl_global_cleanup();
}

admmnn_status download_open(data_watch *watch, download **out, admmnn_error *err) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return base_fail(err, ADMMNN_IO, "libcurl does not start");
    download *d = base_array(1, sizeof *d);
    if (d == NULL) {
        curl_global_cleanup();
        return base_fail_memory(err, "a download");
    }
    d->watch = watch;
    d->curl = curl_easy_init();
    if (d->curl == NULL || !configure(d)) {
        download_close(d);
        return base_fail(err, ADMMNN_IO, "libcurl does not start");
    }
    *out = d;
    return ADMMNN_OK;
}

static admmnn_status fail(const download *d, CURLcode result, const char *name, admmnn_error *err) {
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return base_fail(err, ADMMNN_CANCELLED, "stopped while %s was fetched", name);
    if (result == CURLE_OUT_OF_MEMORY || d->to->failed)
        return base_fail_memory(err, name);
    if (d->too_large)
        return base_fail(err, ADMMNN_CORRUPT, "%s: larger than the true file", name);
    return base_fail(err, ADMMNN_IO, "%s: %s", name,
                     d->error[0] != 0 ? d->error : curl_easy_strerror(result));
}

admmnn_status download_get(download *d, const char *folder, const char *name, size_t most,
                           base_writer *to, admmnn_error *err) {
    char url[URL_MAX];
    const int used = snprintf(url, sizeof url, "%s%s", folder, name);
    if (used < 0 || (size_t)used >= sizeof url)
        return base_fail(err, ADMMNN_INPUT, "%.64s: too long", folder);
    d->to = to;
    d->most = most;
    d->received = 0;
    d->too_large = false;
    d->error[0] = 0;
    CURLcode result = curl_easy_setopt(d->curl, CURLOPT_URL, url);
    if (result == CURLE_OK)
        result = curl_easy_perform(d->curl);
    return result == CURLE_OK ? ADMMNN_OK : fail(d, result, name, err);
}
