/* Records what a process does to the files below one folder, in order: the test of power loss replays it.
 *
 * Loaded by LD_PRELOAD into a Linux process. RECORD_ROOT is the folder, RECORD_LOG the file that receives
 * the records. One lock is held over each operation and its record, so that the order of the records is
 * the order of the operations. SQLite's index of its log (-shm) is mapped and never durable: it is left out.
 *
 * A record: a letter, the inode (8 bytes), an offset or size (8), the lengths of two texts and the data (4
 * each), then these. All numbers are the machine's own.
 *   C  a file was made          inode, path        D  a folder was made       inode, path
 *   W  bytes were written       inode, offset      T  a file's size was set   inode, size
 *   S  a file or folder was synced  inode          R  renamed                 path, path
 *   U  a file was removed       path               X  a folder was removed    path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int log_fd = -1;
static dev_t root_dev;
static char root[PATH_MAX];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *place = getenv("RECORD_LOG"), *folder = getenv("RECORD_ROOT");
    struct stat found;
    if (!place || !folder || !realpath(folder, root) || stat(root, &found)) return;
    root_dev = found.st_dev;
    log_fd = syscall(SYS_openat, AT_FDCWD, place, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(const void *bytes, size_t n) {
    const char *at = bytes;
    while (n > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, n);
        if (done <= 0) _exit(97);
        at += done;
        n -= done;
    }
}

static void record(char what, uint64_t inode, uint64_t offset, const char *a, const char *b,
                   const void *data, uint32_t n_data) {
    uint32_t n_a = a ? strlen(a) : 0, n_b = b ? strlen(b) : 0;
    put(&what, 1);
    put(&inode, 8);
    put(&offset, 8);
    put(&n_a, 4);
    put(&n_b, 4);
    put(&n_data, 4);
    put(a, n_a);
    put(b, n_b);
    put(data, n_data);
}

/* The absolute path of a name in a folder, the name itself not resolved; NULL outside the root. */
static char *place_of(int folder, const char *name, char out[PATH_MAX]) {
    char joined[PATH_MAX], parent[PATH_MAX];
    if (log_fd < 0) return NULL;
    if (name[0] == '/') {
        snprintf(joined, sizeof joined, "%s", name);
    } else if (folder == AT_FDCWD) {
        if (!getcwd(parent, sizeof parent)) return NULL;
        snprintf(joined, sizeof joined, "%s/%s", parent, name);
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, parent, sizeof parent - 1);
        if (n < 0) return NULL;
        parent[n] = 0;
        snprintf(joined, sizeof joined, "%s/%s", parent, name);
    }
    size_t n = strlen(joined);
    while (n > 1 && joined[n - 1] == '/') joined[--n] = 0;
    char *last = strrchr(joined, '/');
    *last = 0;
    if (!realpath(joined[0] ? joined : "/", parent)) return NULL;
    snprintf(out, PATH_MAX, "%s/%s", parent, last + 1);
    n = strlen(root);
    if (strncmp(out, root, n) || out[n] != '/') return NULL;
    n = strlen(out);
    return n > 4 && !strcmp(out + n - 4, "-shm") ? NULL : out;
}

/* The inode of an open file or folder on the root's file system; 0 of anything else. */
static uint64_t inode_of(int fd) {
    struct stat found;
    if (log_fd < 0 || fd == log_fd || fstat(fd, &found) || found.st_dev != root_dev) return 0;
    return S_ISREG(found.st_mode) || S_ISDIR(found.st_mode) ? found.st_ino : 0;
}

static int open_any(int folder, const char *name, int flags, mode_t mode) {
    char place[PATH_MAX];
    struct stat before;
    if (log_fd < 0 || !(flags & (O_CREAT | O_TRUNC)))
        return syscall(SYS_openat, folder, name, flags, mode);
    pthread_mutex_lock(&lock);
    char *at = place_of(folder, name, place);
    int was_there = at && !stat(at, &before);
    int fd = syscall(SYS_openat, folder, name, flags, mode), error = errno;
    if (fd >= 0 && at) {
        if (!was_there)
            record('C', inode_of(fd), 0, at, NULL, NULL, 0);
        else if (flags & O_TRUNC)
            record('T', inode_of(fd), 0, NULL, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define OPEN(name, parameters, folder)                        \
    int name parameters {                                     \
        mode_t mode = 0;                                      \
        if (flags & (O_CREAT | O_TMPFILE)) {                  \
            va_list rest;                                     \
            va_start(rest, flags);                            \
            mode = va_arg(rest, int);                         \
            va_end(rest);                                     \
        }                                                     \
        return open_any(folder, path, flags | O_LARGEFILE, mode); \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)

static ssize_t written(int fd, const void *bytes, off_t offset, ssize_t n) {
    uint64_t inode = n > 0 ? inode_of(fd) : 0;
    if (inode) {
        if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - n;
        record('W', inode, offset, NULL, NULL, bytes, n);
    }
    return n;
}

#define GUARDED(type, call)             \
    pthread_mutex_lock(&lock);          \
    type result = call;                 \
    int error = errno;                  \
    pthread_mutex_unlock(&lock);        \
    errno = error;                      \
    return result;

ssize_t write(int fd, const void *bytes, size_t n) {
    GUARDED(ssize_t, written(fd, bytes, -1, syscall(SYS_write, fd, bytes, n)))
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    GUARDED(ssize_t, written(fd, bytes, at, syscall(SYS_pwrite64, fd, bytes, n, at)))
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) { return pwrite(fd, bytes, n, at); }

ssize_t writev(int fd, const struct iovec *parts, int n) {
    ssize_t all = 0;
    for (int i = 0; i < n; i++) {
        ssize_t done = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (done < 0) return all ? all : done;
        all += done;
        if ((size_t)done < parts[i].iov_len) break;
    }
    return all;
}

/* Copies inside the kernel would pass by unseen; the caller then reads and writes. */
ssize_t copy_file_range(int a, off_t *b, int c, off_t *d, size_t e, unsigned f) {
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int a, int b, off_t *c, size_t d) {
    (void)a, (void)b, (void)c, (void)d;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int a, int b, off_t *c, size_t d) { return sendfile(a, b, c, d); }
int posix_fallocate(int a, off_t b, off_t c) {
    (void)a, (void)b, (void)c;
    return EOPNOTSUPP;
}
int posix_fallocate64(int a, off_t b, off_t c) { return posix_fallocate(a, b, c); }

static int sized(int fd, off_t size, int result) {
    uint64_t inode = result ? 0 : inode_of(fd);
    if (inode) record('T', inode, size, NULL, NULL, NULL, 0);
    return result;
}
int ftruncate(int fd, off_t size) { GUARDED(int, sized(fd, size, syscall(SYS_ftruncate, fd, size))) }
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

/* Recorded and not done: the test has no use for what the disk of this machine keeps. */
static int synced(int fd) {
    uint64_t inode = inode_of(fd);
    if (inode) record('S', inode, 0, NULL, NULL, NULL, 0);
    return 0;
}
int fsync(int fd) { GUARDED(int, synced(fd)) }
int fdatasync(int fd) { return fsync(fd); }

static int moved(int a, const char *from, int b, const char *to, unsigned flags) {
    char one[PATH_MAX], two[PATH_MAX];
    char *old = place_of(a, from, one), *new = place_of(b, to, two);
    int result = syscall(SYS_renameat2, a, from, b, to, flags);
    if (!result && old && new) record('R', 0, 0, old, new, NULL, 0);
    return result;
}
int rename(const char *from, const char *to) {
    GUARDED(int, moved(AT_FDCWD, from, AT_FDCWD, to, 0))
}
int renameat(int a, const char *from, int b, const char *to) { GUARDED(int, moved(a, from, b, to, 0)) }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    GUARDED(int, moved(a, from, b, to, flags))
}

static int removed(int folder, const char *name, int flags) {
    char place[PATH_MAX];
    char *at = place_of(folder, name, place);
    int result = syscall(SYS_unlinkat, folder, name, flags);
    if (!result && at) record(flags & AT_REMOVEDIR ? 'X' : 'U', 0, 0, at, NULL, NULL, 0);
    return result;
}
int unlink(const char *name) { GUARDED(int, removed(AT_FDCWD, name, 0)) }
int unlinkat(int folder, const char *name, int flags) { GUARDED(int, removed(folder, name, flags)) }
int rmdir(const char *name) { GUARDED(int, removed(AT_FDCWD, name, AT_REMOVEDIR)) }

static int made(int folder, const char *name, mode_t mode) {
    char place[PATH_MAX];
    struct stat found;
    char *at = place_of(folder, name, place);
    int result = syscall(SYS_mkdirat, folder, name, mode), error = errno;
    if (!result && at && !stat(at, &found)) record('D', found.st_ino, 0, at, NULL, NULL, 0);
    errno = error;
    return result;
}
int mkdir(const char *name, mode_t mode) { GUARDED(int, made(AT_FDCWD, name, mode)) }
int mkdirat(int folder, const char *name, mode_t mode) { GUARDED(int, made(folder, name, mode)) }
