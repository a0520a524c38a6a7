// A program of ours in a process of its own, with the descriptors, the identity and nothing else that it was given.

import CLinux
import Glibc

/// What to start.
package struct Spawn: Sendable {
    /// An absolute path: nothing is searched.
    package var program: Path
    /// The arguments after the program's own name.
    package var arguments: [[UInt8]]
    /// `NAME=value` entries: all that the program gets.
    package var environment: [[UInt8]]
    /// These become descriptors 3, 4, …
    package var descriptors: [Int32] = []
    /// Nil: as the caller.
    package var identity: SystemUser?
    /// Whether the program gets SIGTERM when the thread that starts it ends: for a process with one thread only.
    package var diesWithParent = true

    package init(program: Path, arguments: [[UInt8]], environment: [[UInt8]] = []) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts it and returns its pid; a program that cannot be executed is an error here, not an exit there.
    package func start() throws(KernelError) -> Int32 {
        try attempt(.spawn, on: program.bytes) { withLaunch { Int(martlet_start_program($0)) } }.asProcessID
    }

    /// Becomes the program, in this process and with its stdin: returns only by throwing, and then nothing may be relied on.
    package func become() throws(KernelError) {
        _ = try attempt(.spawn, on: program.bytes) { withLaunch { Int(martlet_become_program($0)) } }
    }

    private func withLaunch(_ body: (UnsafePointer<martlet_launch>) -> Int) -> Int {
        withCStrings([program.bytes] + arguments) { arguments in
            withCStrings(environment) { environment in
                descriptors.withUnsafeBufferPointer { descriptors in
                    (identity?.groups ?? []).withUnsafeBufferPointer { groups in
                        program.withCString { path in
                            var what = martlet_launch()
                            what.path = path
                            what.arguments = arguments
                            what.environment = environment
                            what.descriptors = descriptors.baseAddress
                            what.descriptor_count = descriptors.count
                            what.switches_identity = identity == nil ? 0 : 1
                            what.uid = identity?.uid ?? 0
                            what.gid = identity?.gid ?? 0
                            what.groups = groups.baseAddress
                            what.group_count = groups.count
                            what.dies_with_parent = diesWithParent ? 1 : 0
                            what.null_input = 1
                            return body(&what)
                        }
                    }
                }
            }
        }
    }

    /// Starts it and waits for its end; the exit code, or 128 plus the number of the signal.
    package func run() throws(KernelError) -> Int32 {
        let pid = try start()
        var status: Int32 = 0
        _ = try attempt(.wait, on: program.bytes) { Int(waitpid(pid, &status, 0)) }
        return martlet_exit_code(status)
    }
}

extension Int {
    fileprivate var asProcessID: Int32 { Int32(clamping: self) }
}

/// Calls `body` with a NULL-terminated array of C strings that live as long as the call.
private func withCStrings<R>(_ texts: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { text in
        Path(text).withCString { strdup($0) }
    }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
        return body(base)
    }
}

/// Children that ended.
package enum Children {
    /// One child that ended and its exit code (128 plus the number of the signal); nil if none has.
    package static func reap() -> (pid: Int32, code: Int32)? {
        var status: Int32 = 0
        let pid = martlet_reap(&status)
        return pid > 0 ? (pid, martlet_exit_code(status)) : nil
    }
}
