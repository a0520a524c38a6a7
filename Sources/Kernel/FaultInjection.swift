// The one point at which a test makes system calls fail or the process die. Off unless MARTLET_FAULT names a fault, or a
// test runs a piece of work under a script of its own.

import Synchronization
import CLinux
import Glibc

/// A fault planned by the environment variable `MARTLET_FAULT`, read once, or by a `FaultScript` around some work.
package enum FaultInjection {
    private static let planned: FaultScript? = getenv("MARTLET_FAULT").flatMap { FaultScript(String(cString: $0)) }
    private static let isScripted = Atomic<Bool>(false)
    @TaskLocal private static var script: FaultScript?

    /// Runs `body` with a script that strikes its calls and no other thread's: tests run side by side.
    package static func running<R>(_ script: FaultScript, _ body: () throws -> R) rethrows -> R {
        isScripted.store(true, ordering: .relaxed)
        return try $script.withValue(script, operation: body)
    }

    /// The error with which this call must fail, or nil. Does not return where the plan is to die.
    @inline(__always)
    static func strike(_ call: SystemCall) -> Int32? {
        guard planned != nil || isScripted.load(ordering: .relaxed) else { return nil }
        if let script { return script.strike(call) }
        return strikeAsPlanned(call)
    }

    /// Says so on stderr: who walks N upward must know from outside the process whether the call was reached.
    @inline(never)
    private static func strikeAsPlanned(_ call: SystemCall) -> Int32? {
        guard let code = planned?.strike(call) else { return nil }
        writeToStandardError(Array("fault: \(call.rawValue) fails with \(code)\n".utf8))
        return code
    }
}

/// When which call fails: a plan, and how many calls it has counted.
///
/// `kill@137` dies at the 137th call; `kill@sync:3` at the third sync; `EIO@write:2` fails the second write;
/// `ENOSPC@write:2+` fails every write from the second on, `ENOSPC@write:2-9` until the ninth; `EIO@0` only counts.
/// Dying is SIGKILL before the call is made.
package final class FaultScript: Sendable {
    struct Plan: Hashable, Sendable {
        let code: Int32?
        let call: SystemCall?
        let numbers: ClosedRange<Int>
    }

    private let plan: Plan
    private let made = Atomic<Int>(0)

    /// Nil for a text that is no plan.
    package init?(_ text: String) {
        guard let plan = Plan(parsing: text) else { return nil }
        self.plan = plan
    }

    /// How many calls were counted; a test walks N upward until it is never reached.
    package var count: Int { made.load(ordering: .relaxed) }

    @inline(never)
    func strike(_ call: SystemCall) -> Int32? {
        guard plan.call == nil || plan.call == call else { return nil }
        guard plan.numbers.contains(made.add(1, ordering: .relaxed).newValue) else { return nil }
        guard let code = plan.code else { martlet_die(); return nil }
        return code
    }
}

extension FaultScript.Plan {
    private static let codes: [String: Int32] = [
        "EIO": EIO, "ENOSPC": ENOSPC, "EDQUOT": EDQUOT, "EMFILE": EMFILE, "ENOMEM": ENOMEM, "EINTR": EINTR, "EACCES": EACCES,
    ]

    init?(parsing text: String) {
        let parts = text.split(separator: "@", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        if parts[0] == "kill" { code = nil } else if let known = Self.codes[String(parts[0])] { code = known } else { return nil }
        let place = parts[1].split(separator: ":")
        guard place.count <= 2, let numbers = place.last.flatMap(Self.numbers) else { return nil }
        // A call that is interrupted for ever is repeated for ever.
        if numbers.upperBound == .max, code == EINTR { return nil }
        self.numbers = numbers
        call = place.count == 2 ? SystemCall(rawValue: String(place[0])) : nil
        if place.count == 2, call == nil { return nil }
    }

    /// `3`, `3+` or `3-7`.
    private static func numbers(_ text: Substring) -> ClosedRange<Int>? {
        let stays = text.hasSuffix("+")
        let bounds = (stays ? text.dropLast() : text).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard bounds.count == 1 || (bounds.count == 2 && !stays), let first = bounds[0], let last = bounds[bounds.count - 1] else { return nil }
        guard first >= 0, first <= last else { return nil }
        return first...(stays ? .max : last)
    }
}

/// Makes a call: injects the planned fault, repeats after EINTR, throws what the kernel said.
@inline(__always)
func attempt(_ call: SystemCall, on object: @autoclosure () -> [UInt8], _ body: () -> Int) throws(KernelError) -> Int {
    while true {
        if let code = FaultInjection.strike(call) {
            if code == EINTR { continue }
            throw KernelError(call, code: code, object: object())
        }
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code == EINTR { continue }
        throw KernelError(call, code: code, object: object())
    }
}
