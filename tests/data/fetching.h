/* What tests of fetching share: a caller that listens, places on disk, an npm that is played. */
#ifndef TESTS_DATA_FETCHING_H
#define TESTS_DATA_FETCHING_H

#include "support.h"

#include "admmnn/data.h"
#include "base/context.h"
#include "data/cache.h"
#include "data/fetch.h"

/* ---- what the caller sees ---- */

typedef struct listener {
    char log[4096];
    uint64_t done, total;
    bool went_back;
    int asked;     /* times it was asked whether to stop */
    int stop_when; /* it says yes from this time on; 0: never */
    int opened;    /* sources of `counted` */
} listener;

static inline void hear(void *user, admmnn_log_level level, const char *message) {
    listener *l = user;
    size_t used = strlen(l->log);
    snprintf(l->log + used, sizeof l->log - used, "%s%s\n",
             level == ADMMNN_LOG_WARNING ? "warning: " : "", message);
}

static inline void see(void *user, const admmnn_progress *progress) {
    listener *l = user;
    l->went_back = l->went_back || progress->done < l->done || progress->done > progress->total;
    l->done = progress->done;
    l->total = progress->total;
    assert_string_equal(progress->unit, "bytes");
}

static inline bool stop(void *user) {
    listener *l = user;
    l->asked++;
    return l->stop_when > 0 && l->asked >= l->stop_when;
}

static inline admmnn_context context_of(listener *l) {
    return (admmnn_context){.log = hear, .progress = see, .cancelled = stop, .user = l};
}

/* ---- one place for all that a test leaves on disk ---- */

typedef struct places {
    char root[64];
    char cache[128], good[128], bad[128], temporary[128];
    char mirror[160]; /* the URL of good/ */
} places;

static inline void make_places(places *p) {
    folder_new(p->root);
    snprintf(p->cache, sizeof p->cache, "%s/cache/toy", p->root);
    snprintf(p->good, sizeof p->good, "%s/good", p->root);
    snprintf(p->bad, sizeof p->bad, "%s/bad", p->root);
    snprintf(p->temporary, sizeof p->temporary, "%s/temporary", p->root);
    snprintf(p->mirror, sizeof p->mirror, "file://%s/", p->good);
    EXPECT_OK(base_folder_make(p->good, err));
    EXPECT_OK(base_folder_make(p->bad, err));
    EXPECT_OK(base_folder_make(p->temporary, err));
    setenv("TMPDIR", p->temporary, 1);
}

/* Nothing unfinished stays behind, whatever happened. */
static inline void leave_places(const places *p) {
    assert_int_equal(folder_entries(p->temporary), 0);
    unsetenv("TMPDIR");
    folder_remove(p->root);
}

/* Puts `npm` with this body first in PATH; the body finds $FOLDER and $PACKAGE. */
static inline void play_npm(const places *p, const char *body) {
    char folder[160];
    char script[2048];
    char path[512];
    snprintf(folder, sizeof folder, "%s/bin", p->root);
    snprintf(
        script, sizeof script,
        "#!/bin/sh\n[ \"$1\" = pack ] && [ \"$2\" = --pack-destination ] || exit 90\nFOLDER=$3\n"
        "for PACKAGE; do :; done\ncase \" $* \" in *' --ignore-scripts '*) ;; *) exit 91;; "
        "esac\n%s\n",
        body);
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    EXPECT_OK(base_folder_make(folder, err));
    put_file(folder, "npm", script, strlen(script));
    strcat(folder, "/npm");
    assert_int_equal(chmod(folder, 0700), 0);
    setenv("PATH", path, 1);
}

static inline data_source source_of(const data_source_kind *kind, const char *where) {
    return (data_source){.kind = kind, .where = where};
}

#endif
