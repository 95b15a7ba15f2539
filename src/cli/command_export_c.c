#include <inttypes.h>

#include "admmnn/export.h"
#include "commands.h"
#include "data_folder.h"
#include "evaluation.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "DIR",
     .help = "The folder of the two files; made where it is not there."},
    {.name = "name",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, name),
     .value = "NAME",
     .fallback = "the network's",
     .help = "Of the files and of the function: up to 31 letters, digits and _, a letter first, "
             "and no header of C's or of the system's."},
    {.name = "int8",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, int8),
     .help = "Write a second function, of 8 bits; its ranges are those of training images."},
    CLI_IMAGES_OPTIONS,
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace files that exist."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn export-c out/lenet5-mnist/model.admm --out firmware --name lenet5",
     "firmware/lenet5.c and firmware/lenet5.h, with lenet5_predict."},
    {"admmnn export-c out/lenet5-mnist/model.admm --out firmware --int8",
     "With lenet_5_predict_int8, its ranges those of MNIST."},
    {NULL, NULL},
};

typedef struct part {
    const char *name, *key; /* as people read it, and in JSON */
    uint64_t bytes;
    const char *what;
} part;

#define PARTS 9
#define FLASH_PARTS 4

static void list_parts(const admmnn_export_sizes *s, part parts[PARTS]) {
    parts[0] = (part){"flash: weights", "weights", s->weights, ""};
    parts[1] = (part){"flash: biases", "biases", s->biases, ""};
    parts[2] = (part){"flash: constants", "constants", s->constants, ""};
    parts[3] = (part){"flash: tables", "tables", s->tables, ", and the code, as it is compiled"};
    parts[4] = (part){"RAM: values", "values", s->buffer, ", static"};
    parts[5] = (part){"RAM: values, int8", "values_int8", s->buffer_int8, ", static"};
    parts[6] = (part){"RAM: stack", "stack", s->stack, ", about"};
    parts[7] = (part){"RAM: input", "input", s->input, ", the caller's"};
    parts[8] = (part){"RAM: output", "output", s->output, ", the caller's"};
}

static void print_table(const cli_arguments *arguments, const admmnn_export_sizes *s,
                        const part parts[PARTS]) {
    cli_print("%s/%s.c, %s/%s.h: %" PRIu64 " of %" PRIu64 " weights\n\n", arguments->out, s->name,
              arguments->out, s->name, s->kept, s->weight_count);
    for (int i = 0; i < PARTS; i++)
        cli_print("%-18s %9" PRIu64 " bytes%s\n", parts[i].name, parts[i].bytes, parts[i].what);
}

static admmnn_status print_json(const cli_arguments *arguments, const admmnn_export_sizes *s,
                                const part parts[PARTS], admmnn_error *err) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "folder", arguments->out);
    cJSON_AddStringToObject(object, "name", s->name);
    cJSON_AddNumberToObject(object, "weights", (double)s->weight_count);
    cJSON_AddNumberToObject(object, "kept", (double)s->kept);
    cJSON *flash = cJSON_AddObjectToObject(object, "flash");
    cJSON *ram = cJSON_AddObjectToObject(object, "ram");
    for (int i = 0; i < PARTS; i++)
        cJSON_AddNumberToObject(i < FLASH_PARTS ? flash : ram, parts[i].key,
                                (double)parts[i].bytes);
    return cli_print_json(object, err);
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    char fetched[CLI_PATH_MAX];
    admmnn_images images;
    admmnn_export_settings settings = {.input = arguments->operands[0],
                                       .folder = arguments->out,
                                       .name = arguments->name,
                                       .mean = arguments->mean,
                                       .deviation = arguments->deviation,
                                       .force = arguments->force};
    admmnn_export_sizes sizes;
    part parts[PARTS];
    if (!arguments->int8)
        CLI_TRY(cli_refuse_images(arguments, "--int8", err));
    else {
        CLI_TRY(cli_images(arguments, fetched, sizeof fetched, &images, err));
        settings.images = &images;
    }
    cli_session_begin(&session, arguments);
    const admmnn_status status = admmnn_model_export_c(&settings, &session.context, &sizes, err);
    cli_session_end(&session);
    CLI_TRY(status);
    list_parts(&sizes, parts);
    if (arguments->json)
        return print_json(arguments, &sizes, parts, err);
    print_table(arguments, &sizes, parts);
    return ADMMNN_OK;
}

const cli_command cli_export_c = {
    .name = "export-c",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Write a model as C code for a microcontroller.",
    .description =
        "Writes NAME.c and NAME.h: C99 with the weights in packed form as constants, values on the "
        "way in one static buffer, and a function NAME_predict that runs one sample. It needs "
        "neither a heap nor files, and of libc what math.h declares. With --int8 a second "
        "function, "
        "NAME_predict_int8, works on values of 8 bits. Printed are the bytes of "
        "flash and RAM that the data take on a processor of 32 bits.",
    .options = options,
    .examples = examples,
    .run = run,
};
