/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The programs that were built or installed beside this one. */
static void sibling(const char *name, char *path, size_t size)
{
    char self[512] = "", *slash;

    if (readlink("/proc/self/exe", self, sizeof self - 1) > 0 && (slash = strrchr(self, '/')) != NULL)
        *slash = '\0';
    snprintf(path, size, "%s/%s", self, name);
    struct stat status;
    if (stat(path, &status) != 0 || S_ISDIR(status.st_mode))
        snprintf(path, size, "%s/../%s/%s", self, name, name);
}

/* A port of ours that nobody listens on. */
static unsigned short free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        address.sin_port = 0;
    close(fd);
    return ntohs(address.sin_port);
}

bool daemon_prepare(struct daemon *daemon)
{
    *daemon = (struct daemon){.port = free_port()};
    snprintf(daemon->folder, sizeof daemon->folder, "/tmp/fgbench-XXXXXX");
    if (mkdtemp(daemon->folder) != NULL)
        return true;
    fprintf(stderr, "fgbench: no folder can be made in /tmp\n");
    daemon->folder[0] = '\0';
    return false;
}

bool daemon_file(const struct daemon *daemon, const char *name, const char *fmt, ...)
{
    char path[128];
    va_list args;

    snprintf(path, sizeof path, "%s/%s", daemon->folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    va_start(args, fmt);
    vfprintf(file, fmt, args);
    va_end(args);
    return fclose(file) == 0;
}

static void become(const struct daemon *daemon, const char *program, const char *const words[DAEMON_WORDS_MAX])
{
    char path[1024];
    char *args[DAEMON_WORDS_MAX + 2] = {path};

    for (unsigned i = 0; words[i] != NULL; i++)
        args[i + 1] = (char *)(uintptr_t)words[i];
    if (program != NULL)
        snprintf(path, sizeof path, "%s", program);
    else
        sibling("floodgate", path, sizeof path);
    if (chdir(daemon->folder) != 0 || freopen("out", "w", stdout) == NULL || freopen("err", "w", stderr) == NULL)
        _exit(127);
    execvp(path, args);
    _exit(127);
}

bool daemon_run(struct daemon *daemon, const char *program, const char *const words[DAEMON_WORDS_MAX])
{
    pid_t parent = getpid();

    daemon->pid = fork();
    if (daemon->pid == 0) {
        /* whatever ends this program ends what it started */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            become(daemon, program, words);
        _exit(127);
    }
    return daemon->pid > 0;
}

void daemon_stop(struct daemon *daemon)
{
    char command[128];

    if (daemon->pid > 0) {
        kill(daemon->pid, SIGKILL);
        waitpid(daemon->pid, NULL, 0);
    }
    if (daemon->folder[0] == '\0')
        return;
    snprintf(command, sizeof command, "rm -rf %s", daemon->folder);
    if (system(command) != 0)
        fprintf(stderr, "fgbench: %s is left behind\n", daemon->folder);
    *daemon = (struct daemon){0};
}

double daemon_memory_peak(const struct daemon *daemon)
{
    char path[64], line[128];
    double kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)daemon->pid);
    FILE *status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtod(line + 6, NULL);
    if (status != NULL)
        fclose(status);
    return kib * 1024;
}

double daemon_cpu_seconds(const struct daemon *daemon)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, kernel = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)daemon->pid);
    FILE *stat_file = fopen(path, "r");
    const char *after = stat_file != NULL && fgets(line, sizeof line, stat_file) != NULL ? strrchr(line, ')') : NULL;
    if (after != NULL)
        sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
    if (stat_file != NULL)
        fclose(stat_file);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

/* Its name, and what the kernel's scheduler says of its time on a processor, which is exact. */
static double thread_seconds(const char *task, const char *name)
{
    char path[512], line[128] = "";
    double seconds = -1;

    snprintf(path, sizeof path, "%s/comm", task);
    FILE *file = fopen(path, "r");
    bool is_it = file != NULL && fgets(line, sizeof line, file) != NULL && (name == NULL || strstr(line, name) != NULL);
    if (file != NULL)
        fclose(file);
    if (!is_it)
        return -1;
    snprintf(path, sizeof path, "%s/schedstat", task);
    file = fopen(path, "r");
    if (file != NULL && fgets(line, sizeof line, file) != NULL)
        seconds = strtod(line, NULL) / 1e9;
    if (file != NULL)
        fclose(file);
    return seconds;
}

double daemon_thread_seconds(const struct daemon *daemon, const char *name)
{
    char folder[64], task[352];
    double seconds = -1;

    snprintf(folder, sizeof folder, "/proc/%d/task", (int)daemon->pid);
    if (name == NULL) {
        snprintf(task, sizeof task, "%s/%d", folder, (int)daemon->pid);
        return thread_seconds(task, NULL);
    }
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir != NULL && seconds < 0 && (entry = readdir(dir)) != NULL;) {
        snprintf(task, sizeof task, "%s/%s", folder, entry->d_name);
        seconds = entry->d_name[0] != '.' ? thread_seconds(task, name) : -1;
    }
    if (dir != NULL)
        closedir(dir);
    return seconds;
}

char *daemon_ask(const struct daemon *daemon, const char *command)
{
    char line[1400], program[1024];
    char *answer = NULL;
    size_t room = 0;

    sibling("fgctl", program, sizeof program);
    snprintf(line, sizeof line, "%s -s %s/api.sock -j %s 2>/dev/null", program, daemon->folder, command);
    FILE *pipe = popen(line, "r");
    ssize_t len = pipe != NULL ? getdelim(&answer, &room, '\0', pipe) : -1;
    if (pipe != NULL)
        pclose(pipe);
    if (len > 0)
        return answer;
    free(answer);
    return strdup("");
}
