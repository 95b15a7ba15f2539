/* Progress on standard error: a bar on a terminal, plain lines elsewhere. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>

#include "admmnn/context.h"

typedef struct cli_progress {
    bool shown;    /* false: quiet */
    bool terminal; /* false: a line a stage and every ten seconds */
    bool on_screen;
    double began, drawn;    /* seconds */
    bool of_run;            /* the share done is the run's, not a piece's alone */
    double first, since;    /* the share at its first report, as a resumed run does not begin at
                               0, and when that was */
    char task[96];          /* of the last report */
    double written;         /* share done on the last line; below 0: none */
    uint64_t last;          /* done, at the last report */
    double counted, window; /* units since `window` */
    double rate;            /* units a second; 0: not known yet */
} cli_progress;

void cli_progress_begin(cli_progress *p, bool quiet);
void cli_progress_report(cli_progress *p, const admmnn_progress *now);
/* Takes the bar off the screen, so that other lines can be written. */
void cli_progress_clear(cli_progress *p);

#endif
