#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_SECONDS 0.1
#define LINE_SECONDS 10.0
#define RATE_SECONDS 0.5
#define BAR_LEAST 6
#define BAR_MOST 30
#define COLUMNS_MAX 240

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void cli_progress_begin(cli_progress *p, bool quiet) {
    const char *kind = getenv("TERM");
    *p = (cli_progress){.shown = !quiet, .began = seconds_now(), .first = -1, .written = -1};
    p->window = p->began;
    p->terminal = isatty(STDERR_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0;
}

static unsigned columns_of_terminal(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* "1:02" or "1:02:03". */
static void format_time(char *text, size_t size, double seconds) {
    unsigned long all = (unsigned long)(seconds + 0.5);
    if (all < 3600)
        snprintf(text, size, "%lu:%02lu", all / 60, all % 60);
    else
        snprintf(text, size, "%lu:%02lu:%02lu", all / 3600, all / 60 % 60, all % 60);
}

/* "12.3k images/s", "4.5 MB/s"; empty while not known, and where nothing is counted. */
static void format_rate(char *text, size_t size, double rate, const char *unit) {
    static const char *const steps[] = {"", "k", "M", "G"};
    bool bytes = strcmp(unit, "bytes") == 0;
    size_t step = 0;
    text[0] = 0;
    if (rate <= 0 || unit[0] == 0)
        return;
    for (; rate >= 10000 || (bytes && rate >= 1000 && step < 3); rate /= 1000)
        step++;
    if (step > 3)
        return;
    int digits = rate < 10 ? 1 : 0;
    if (bytes)
        snprintf(text, size, "%.*f %sB/s", step == 0 ? 0 : 1, rate, steps[step]);
    else
        snprintf(text, size, "%.*f%s %s/s", step > 0 ? 1 : digits, rate, steps[step], unit);
}

/* The fraction done of the whole run, or of this piece where that is all one knows. */
static double share_of(const admmnn_progress *now) {
    double share = now->run_done;
    if (share < 0 && now->total > 0)
        share = (double)now->done / (double)now->total;
    return share > 1 ? 1 : share;
}

/* Another task counts other things, or the same ones at another speed. */
static void begin_task(cli_progress *p, const admmnn_progress *now, double at) {
    snprintf(p->task, sizeof p->task, "%s", now->task);
    p->rate = 0;
    p->counted = 0;
    p->last = now->done;
    p->window = at;
}

/* A share of the run goes on through its tasks; that of a piece, such as the images that are
 * decoded before the run, ends with it. */
static void begin_share(cli_progress *p, const admmnn_progress *now, bool changed, double at) {
    const bool of_run = now->run_done >= 0;
    if (p->first >= 0 && of_run == p->of_run && (of_run || !changed))
        return;
    p->of_run = of_run;
    p->first = share_of(now);
    p->since = at;
}

/* A piece begins again at 0: what it had done until now has been counted. */
static void measure_rate(cli_progress *p, const admmnn_progress *now, double at) {
    p->counted += (double)(now->done >= p->last ? now->done - p->last : now->done);
    p->last = now->done;
    double passed = at - p->window;
    if (passed < RATE_SECONDS)
        return;
    double measured = p->counted / passed;
    p->rate = p->rate > 0 ? 0.6 * p->rate + 0.4 * measured : measured;
    p->counted = 0;
    p->window = at;
}

typedef struct figures {
    char rate[48], elapsed[24], left[24], note[64]; /* "  validation 99.31 %" */
    double share;
} figures;

static figures figures_of(const cli_progress *p, const admmnn_progress *now, double at) {
    figures f = {.share = share_of(now), .left = "?"};
    format_rate(f.rate, sizeof f.rate, p->rate, now->unit);
    if (now->note != NULL && now->note[0] != 0)
        snprintf(f.note, sizeof f.note, "  %.48s", now->note);
    format_time(f.elapsed, sizeof f.elapsed, at - p->began);
    double gained = f.share - p->first;
    if (f.share >= 0 && gained > 0.002)
        format_time(f.left, sizeof f.left, (at - p->since) * (1 - f.share) / gained);
    return f;
}

static void fill_bar(char *bar, int width, double share) {
    int full = (int)(share * width);
    for (int i = 0; i < width; i++)
        bar[i] = i < full ? '=' : '-';
    if (full < width)
        bar[full] = '>';
    bar[width] = 0;
}

/* Task, bar, percent, rate, note, elapsed and left; what does not fit into the columns
 * is left out, the bar first, then the rate, the note, the time. */
static void format_line(char *line, size_t size, int columns, const char *task, const figures *f) {
    char bar[BAR_MOST + 1];
    char percent[16] = "";
    if (f->share >= 0)
        snprintf(percent, sizeof percent, "%3d %%", (int)(100 * f->share));
    int used = snprintf(line, size, "%s []%6s  %15s%s  %s, left %s", task, percent, f->rate,
                        f->note, f->elapsed, f->left);
    int room = columns - used;
    if (f->share >= 0 && room >= BAR_LEAST) {
        fill_bar(bar, room < BAR_MOST ? room : BAR_MOST, f->share);
        snprintf(line, size, "%s [%s]%6s  %15s%s  %s, left %s", task, bar, percent, f->rate,
                 f->note, f->elapsed, f->left);
        return;
    }
    used = snprintf(line, size, "%s %s  %s%s  %s, left %s", task, percent, f->rate, f->note,
                    f->elapsed, f->left);
    if (used > columns)
        used = snprintf(line, size, "%s %s%s  %s, left %s", task, percent, f->note, f->elapsed,
                        f->left);
    if (used > columns)
        used = snprintf(line, size, "%s %s  %s, left %s", task, percent, f->elapsed, f->left);
    if (used > columns)
        snprintf(line, size, "%s %s", percent, task);
}

static void draw(cli_progress *p, const admmnn_progress *now, double at) {
    char line[2 * COLUMNS_MAX];
    int columns = (int)columns_of_terminal() - 1;
    figures f = figures_of(p, now, at);
    format_line(line, sizeof line, columns, p->task, &f);
    fprintf(stderr, "\r%.*s\033[K", columns, line);
    fflush(stderr);
    p->on_screen = true;
    p->drawn = at;
}

static void write_line(cli_progress *p, const admmnn_progress *now, double at) {
    figures f = figures_of(p, now, at);
    char percent[24] = "";
    char left[40] = "";
    if (f.share >= 0)
        snprintf(percent, sizeof percent, " %d %%,", (int)(100 * f.share));
    if (f.left[0] != '?')
        snprintf(left, sizeof left, ", %s left", f.left);
    fprintf(stderr, "admmnn: %s:%s%s%s%s %s elapsed%s%s%s\n", p->task, percent,
            f.rate[0] == 0 ? "" : " ", f.rate, f.rate[0] == 0 ? "" : ",", f.elapsed, left,
            f.note[0] == 0 ? "" : ",", f.note[0] == 0 ? "" : f.note + 1);
    p->drawn = at;
    p->written = f.share;
}

void cli_progress_report(cli_progress *p, const admmnn_progress *now) {
    if (!p->shown)
        return;
    double at = seconds_now();
    bool changed = strncmp(p->task, now->task, sizeof p->task - 1) != 0;
    begin_share(p, now, changed, at);
    if (changed)
        begin_task(p, now, at);
    measure_rate(p, now, at);
    double passed = at - p->drawn;
    if (p->terminal && passed >= REDRAW_SECONDS)
        draw(p, now, at);
    bool whole = share_of(now) >= 1 && p->written < 1;
    if (!p->terminal && (changed || whole || passed >= LINE_SECONDS))
        write_line(p, now, at);
}

void cli_progress_clear(cli_progress *p) {
    if (!p->on_screen)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->on_screen = false;
}
