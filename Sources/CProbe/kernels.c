// The machine: mounts, namespaces, clocks, keys, and the kernel's larger surfaces.
#define _GNU_SOURCE
#include "acts.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <sched.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ipc.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/shm.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static int mount_memory(const struct probe *p) { (void)p; return outcome(mount("none", "/tmp", "tmpfs", 0, "size=64k")); }
static int bind_mount(const struct probe *p) { (void)p; return outcome(mount("/etc", "/tmp", NULL, MS_BIND, NULL)); }
static int unmount(const struct probe *p) { (void)p; return outcome(umount2("/proc", MNT_DETACH)); }
static int change_root(const struct probe *p) { (void)p; return outcome(chroot("/tmp")); }
static int clone_tree(const struct probe *p) { (void)p; return outcome(syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */)); }
static int open_system(const struct probe *p) { (void)p; return outcome(syscall(SYS_fsopen, "tmpfs", 0)); }
static int change_mount(const struct probe *p) {
    (void)p;
    uint64_t attributes[4] = {2 /* MOUNT_ATTR_NOSUID */, 0, 0, 0};
    return outcome(syscall(442 /* mount_setattr */, AT_FDCWD, "/", 0, attributes, sizeof attributes));
}
static int own_mounts(const struct probe *p) { (void)p; return outcome(unshare(CLONE_NEWNS)); }
static int own_users(const struct probe *p) { (void)p; return outcome(unshare(CLONE_NEWUSER)); }
static int join_namespace(const struct probe *p) { return outcome(setns(p->namespace_, CLONE_NEWUTS)); }
static int open_by_handle(const struct probe *p) {
    (void)p;
    struct { struct file_handle head; unsigned char rest[128]; } handle = {.head.handle_bytes = 128};
    int mount, folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (name_to_handle_at(AT_FDCWD, "/", &handle.head, &mount, 0) < 0) return errno;
    return outcome(open_by_handle_at(folder, &handle.head, O_RDONLY | O_PATH));
}

static int name_host(const struct probe *p) { (void)p; return outcome(sethostname("probe", 5)); }
static int step_clock(const struct probe *p) {
    (void)p;
    struct timex by = {.modes = ADJ_SETOFFSET};
    return outcome(clock_adjtime(CLOCK_REALTIME, &by));
}
static int restart_machine(const struct probe *p) { (void)p; return reached(reboot(0x4d415254), EINVAL); }
static int swap_out(const struct probe *p) { (void)p; return reached(swapon("/nonexistent", 0), ENOENT); }
static int account(const struct probe *p) { (void)p; return reached(acct("/nonexistent/file"), ENOENT); }
static int load_module(const struct probe *p) { (void)p; return reached(syscall(SYS_init_module, "", 0, ""), ENOEXEC); }
static int read_kernel_log(const struct probe *p) {
    (void)p;
    char text[64];
    return outcome(klogctl(3, text, sizeof text));
}
static int hang_up(const struct probe *p) { (void)p; setsid(); return outcome(vhangup()); }

static int load_bpf(const struct probe *p) {
    (void)p;
    union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map));
}
static int watch_performance(const struct probe *p) {
    (void)p;
    struct perf_event_attr what = {.type = PERF_TYPE_SOFTWARE, .size = sizeof what, .config = PERF_COUNT_SW_CPU_CLOCK};
    return outcome(syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
}
static int handle_faults(const struct probe *p) { (void)p; return outcome(syscall(SYS_userfaultfd, O_CLOEXEC)); }
static int read_keyring(const struct probe *p) { (void)p; return outcome(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1)); }
static int add_key(const struct probe *p) { (void)p; return outcome(syscall(SYS_add_key, "user", "probe", "x", 1, KEY_SPEC_PROCESS_KEYRING)); }
static int open_ring(const struct probe *p) {
    (void)p;
    uint32_t parameters[30] = {0};
    return outcome(syscall(SYS_io_uring_setup, 1, parameters));
}
static int watch_files(const struct probe *p) { (void)p; return outcome(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)); }
static int share_memory(const struct probe *p) { (void)p; return outcome(shmget(IPC_PRIVATE, 4096, 0600)); }
static int open_queue(const struct probe *p) {
    (void)p;
    int queue = (int)syscall(SYS_mq_open, "martlet-probe", O_RDWR | O_CREAT, 0600, NULL);
    if (queue >= 0) syscall(SYS_mq_unlink, "martlet-probe");
    return outcome(queue);
}

#define OWN (PROBE_NEEDS_ROOT | PROBE_OWN_NAMESPACE)
ACTS(kernel,
    {"mount a file system", mount_memory, OWN}, {"mount a folder elsewhere", bind_mount, OWN},
    {"unmount a file system", unmount, OWN}, {"change its root", change_root, PROBE_NEEDS_ROOT},
    {"copy the tree of mounts", clone_tree, PROBE_NEEDS_ROOT}, {"open a file system", open_system, PROBE_NEEDS_ROOT},
    {"change a mount", change_mount, OWN}, {"get mounts of its own", own_mounts, PROBE_NEEDS_ROOT},
    {"get users of its own", own_users, 0}, {"join another's namespace", join_namespace, PROBE_NEEDS_ROOT},
    {"open a file by its handle", open_by_handle, PROBE_NEEDS_ROOT}, {"name the host", name_host, OWN},
    {"step the clock", step_clock, PROBE_NEEDS_ROOT}, {"restart the machine", restart_machine, PROBE_NEEDS_ROOT},
    {"add swap space", swap_out, PROBE_NEEDS_ROOT}, {"switch process accounting", account, PROBE_NEEDS_ROOT},
    {"load a module", load_module, PROBE_NEEDS_ROOT}, {"read the kernel's log", read_kernel_log, PROBE_NEEDS_ROOT},
    {"hang up a terminal", hang_up, PROBE_NEEDS_ROOT}, {"make a BPF map", load_bpf, PROBE_NEEDS_ROOT},
    {"count events of the machine", watch_performance, PROBE_NEEDS_ROOT}, {"handle page faults", handle_faults, PROBE_NEEDS_ROOT},
    {"use a keyring", read_keyring, 0}, {"add a key", add_key, 0}, {"open a ring of calls", open_ring, 0},
    {"watch all files", watch_files, PROBE_NEEDS_ROOT}, {"share memory by System V", share_memory, PROBE_OWN_NAMESPACE},
    {"open a message queue", open_queue, PROBE_OWN_NAMESPACE})
