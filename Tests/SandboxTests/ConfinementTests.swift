// Confinement really denies: each claim is tried by a confined process, with the same process unconfined beside it where
// the claim could hold for another reason.

import CLinux
import Glibc
import Kernel
import Testing

@testable import Sandbox

private let hasProbe: Bool = {
    if Probe.program == nil { print("skipped: sandbox-probe is not beside the test program") }
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
        #expect(try Probe.run("read=\(folder.path)/out -- truncate \(folder.path)/out/file") == EACCES)
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
        #expect(try Probe.run("write=\(folder.path)/out -- link \(folder.path)/out/new") == EACCES)
    }

    @Test func aMissingPathIsAWarningAndNothingMore() throws {
        let folder = try ProbeFolder()
        #expect(try Probe.run("read=\(folder.path)/in read=\(folder.path)/absent -- read \(folder.path)/in/file") == 0)
    }

    @Test func threadsMadeLaterAreBoundToo() throws { #expect(try Probe.run("-- thread") == 0) }

    @Test func anExistingThreadPreventsConfinement() throws { #expect(try Probe.run("-- late") == 70) }
}

@Suite(.enabled(if: hasProbe && hasLandlock)) struct NetworkTests {
    @Test(arguments: ["none", "inherited"]) func withoutNetworkNoInternetSocketIsMade(_ network: String) throws {
        #expect(try Probe.run("net=\(network) -- socket inet") == EPERM)
        #expect(try Probe.run("net=\(network) -- socket inet6") == EPERM)
        #expect(try Probe.run("net=\(network) -- socket unix") == 0)
    }

    @Test func anInheritedListenerAccepts() throws {
        let listener = ProbeListener()
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var bytes: [UInt8] = [UInt8(AF_INET), 0, UInt8(listener.port >> 8), UInt8(listener.port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
        let connected = bytes.withUnsafeMutableBytes { $0.withMemoryRebound(to: sockaddr.self) { connect(client, $0.baseAddress, 16) } }
        #expect(connected == 0)
        #expect(try Probe.run("net=inherited -- accept", inheriting: listener.raw) == 0)
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
        #expect(try Probe.run("net=open signal=yes -- signal \(getpid())") == 0)
        #expect(try Probe.run("net=open exec=yes -- signal \(getpid())") == 0)
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

    @Test func programsAreExecutedOnlyWithTheRight() throws {
        #expect(try Probe.run("net=open read=/ -- execute /bin/true") == Probe.killed)
        #expect(try Probe.run("net=open read=/ exec=yes -- execute /bin/true") == 0)
    }

    @Test func limitsAreSet() throws {
        #expect(try Probe.run("-- core") == 0)
        #expect(try Probe.run("files=77 -- files 77") == 0)
    }
}

@Suite struct CallFilterTests {
    @Test func everyNamedCallIsKnownOrForeignToThisMachine() {
        let foreign: Set<String> = ["iopl", "ioperm", "modify_ldt", "uselib", "sysfs", "kexec_file_load", "ustat"]
        for name in CallFilter.kill + CallFilter.notImplemented + CallFilter.notPermitted + CallFilter.execution {
            #expect(martlet_call_number(name) >= 0 || foreign.contains(name), "\(name)")
        }
    }

    @Test func noCallHasTwoVerdicts() {
        let names = CallFilter(Confinement(readable: [], writable: [], network: .none)).verdicts.map(\.name)
        #expect(Set(names).count == names.count)
    }
}
