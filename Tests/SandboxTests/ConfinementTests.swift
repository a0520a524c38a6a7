// Confinement really denies: each claim is tried by a confined process, with the same process unconfined beside it where
// the claim could hold for another reason.

import CLinux
import Glibc
import Kernel
import Testing

@testable import Sandbox

private let hasProbe: Bool = {
    if Probe.program == nil { print("skipped: confined-act is not beside the test program") }
    return Probe.program != nil
}()
private let hasLandlock: Bool = {
    if martlet_landlock_abi() < 6 { print("skipped: Landlock ABI \(martlet_landlock_abi())") }
    return martlet_landlock_abi() >= 6
}()

@Suite(.enabled(if: hasProbe && hasLandlock)) struct FileTests {
    @Test func onlyWhatIsListedCanBeRead() throws {
        let folder = try ProbeFolder()
        #expect(try Probe.run("read=\(folder.path)/in -- read \(folder.path)/in/file") == 0)
        #expect(try Probe.run("read=\(folder.path)/in -- read \(folder.path)/other/file") == EACCES)
        #expect(try Probe.run("read=\(folder.path)/in -- read \(folder.path)/in/../other/file") == EACCES)
        #expect(try Probe.run("read=\(folder.path)/in/file -- read \(folder.path)/in/file") == 0)
        #expect(try Probe.run("-- read /etc/passwd") == EACCES)
    }

    @Test func readingIsNotWriting() throws {
        let folder = try ProbeFolder()
        #expect(try Probe.run("read=\(folder.path)/out -- create \(folder.path)/out/new") == EACCES)
        #expect(try Probe.run("read=\(folder.path)/out -- truncate \(folder.path)/out/file") == EPERM)
        #expect(try Probe.run("write=\(folder.path)/out -- truncate \(folder.path)/out/file") == 0)
        #expect(try Probe.run("write=\(folder.path)/out -- create \(folder.path)/out/new") == 0)
    }

    @Test func filesMoveWithinWhatIsWritableAndNoFurther() throws {
        let folder = try ProbeFolder()
        mkdir("\(folder.path)/out/sub", 0o700)
        let write = "write=\(folder.path)/out"
        #expect(try Probe.run("\(write) -- rename \(folder.path)/out/file \(folder.path)/out/sub/file") == 0)
        #expect(try Probe.run("\(write) -- rename \(folder.path)/out/sub/file \(folder.path)/other/x") != 0)
        #expect(try Probe.run("\(write) -- rename \(folder.path)/other/file \(folder.path)/out/new") != 0)
    }

    @Test func noSymbolicLinkCanBeMade() throws {
        let folder = try ProbeFolder()
        #expect(try Probe.run("write=\(folder.path)/out -- link \(folder.path)/out/new") == EPERM)
    }

    @Test func aMissingPathIsAWarningAndNothingMore() throws {
        let folder = try ProbeFolder()
        #expect(try Probe.run("read=\(folder.path)/in read=\(folder.path)/absent -- read \(folder.path)/in/file") == 0)
    }

    @Test func threadsMadeLaterAreBoundToo() throws { #expect(try Probe.run("-- thread") == 0) }

    @Test func anExistingThreadPreventsConfinement() throws { #expect(try Probe.run("-- late") == 70) }
}

@Suite(.enabled(if: hasProbe && hasLandlock)) struct NetworkTests {
    @Test(arguments: ["none", "handed", "listening"]) func withoutANetworkOfItsOwnNoSocketIsMade(_ network: String) throws {
        #expect(try Probe.run("net=\(network) -- socket inet") == EPERM)
        #expect(try Probe.run("net=\(network) -- socket inet6") == EPERM)
        #expect(try Probe.run("net=\(network) -- socket unix") == EPERM)
    }

    @Test func anInheritedListenerAccepts() throws {
        let listener = ProbeListener()
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var bytes: [UInt8] = [UInt8(AF_INET), 0, UInt8(listener.port >> 8), UInt8(listener.port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
        let connected = bytes.withUnsafeMutableBytes { $0.withMemoryRebound(to: sockaddr.self) { connect(client, $0.baseAddress, 16) } }
        #expect(connected == 0)
        #expect(try Probe.run("net=listening -- accept", inheriting: listener.raw) == 0)
        close(client)
    }

    @Test func tcpConnectsToListedPortsOnly() throws {
        let listener = ProbeListener()
        #expect(try Probe.run("net=connect:\(listener.port) -- connect \(listener.port)") == 0)
        #expect(try Probe.run("net=connect:25 -- connect \(listener.port)") == EACCES)
        #expect(try Probe.run("net=open -- connect \(listener.port)") == 0)
    }

    @Test func otherProcessesGetNoSignal() throws {
        #expect(try Probe.run("net=open -- signal \(getpid())") == EPERM)
        #expect(try Probe.run("net=open child=\(getpid()) -- signal \(getpid())") == 0)
        #expect(try Probe.run("net=open child=\(getpid()) -- signal \(getppid())") == EPERM)
    }
}

@Suite(.enabled(if: hasProbe)) struct CallTests {
    @Test(arguments: CallFilter.kill) func theseCallsEndTheProcess(_ name: String) throws {
        guard martlet_call_number(name) >= 0 else { return }
        #expect(try Probe.run("net=open -- call \(name)") == Probe.killed)
    }

    @Test(arguments: CallFilter.notImplemented) func theseLookMissing(_ name: String) throws {
        #expect(try Probe.run("net=open -- call \(name)") == ENOSYS)
    }

    @Test(arguments: CallFilter.notPermitted) func theseAreRefused(_ name: String) throws {
        #expect(try Probe.run("net=open -- call \(name)") == EPERM)
    }

    @Test func noProgramIsExecuted() throws {
        #expect(try Probe.run("net=open read=/ -- execute /bin/true") == Probe.killed)
    }

    /// A number that no kernel has given yet stands for all calls that come after this program.
    @Test func aCallOnNoListLooksMissing() throws {
        #expect(try Probe.run("net=open -- number 999") == ENOSYS)
        #expect(try Probe.run("net=open -- number 425") == ENOSYS)
    }

    @Test(arguments: [
        "fcntl 0 1024 1", "fcntl 0 8 1", "ioctl 0 21522 0", "prctl 4 1 0", "prctl 22 2 0", "clone 17 0 0", "clone 268501248 0 0", "mprotect 0 4096 4",
        "mmap 0 4096 7", "prlimit64 1 7 0", "prlimit64 0 7 4096", "kill 1 0 0", "tgkill 1 1 0", "kill -1 0 0", "socket 16 3 0", "socket 2 3 1",
        "socket 1 1 0", "bind 0 0 0", "listen 0 1 0",
    ]) func theseArgumentsAreRefused(_ call: String) throws {
        #expect(try Probe.run("net=open -- call \(call)") == EPERM)
    }

    @Test(arguments: ["fcntl 0 1 0", "prlimit64 0 7 0", "socket 2 1 0", "socket 10 526338 0", "mprotect 0 0 1"])
    func andTheseAreNot(_ call: String) throws { #expect(try Probe.run("net=open -- call \(call)") == 0) }

    @Test func limitsAreSet() throws {
        #expect(try Probe.run("-- core") == 0)
        #expect(try Probe.run("files=77 -- files 77") == 0)
    }
}

@Suite struct CallFilterTests {
    @Test func everyNamedCallIsKnownOrForeignToThisMachine() {
        #if arch(x86_64)
        let foreign: Set<String> = []
        #else
        let foreign: Set<String> = [
            "iopl", "ioperm", "modify_ldt", "uselib", "sysfs", "time", "pause", "poll", "select", "epoll_create", "epoll_wait", "eventfd", "pipe",
            "dup2", "open", "stat", "lstat", "access", "readlink", "inotify_init", "mkdir", "rename", "renameat", "link", "unlink", "rmdir", "chmod",
            "chown", "lchown", "symlink", "mknod", "creat", "fork", "vfork", "utimes", "futimesat", "utime",
        ]
        #endif
        for (name, _) in CallFilter(Confinement(readable: [], writable: ["/"], network: .connecting(toPorts: nil))).verdicts {
            #expect(martlet_call_number(name) >= 0 || foreign.contains(name), "\(name)")
        }
    }

    @Test func noCallHasTwoVerdicts() {
        for network in [Confinement.Network.none, .handed, .listening, .connecting(toPorts: nil)] {
            let filter = CallFilter(Confinement(readable: [], writable: [], network: network))
            let names = filter.verdicts.map(\.name) + Set(filter.arguments.map(\.call))
            #expect(Set(names).count == names.count)
        }
    }
}
