// Why a process could not be confined. None of these is survivable: an unconfined daemon must not serve.

internal import CLinux

package enum ConfinementError: Error, Sendable, Hashable {
    /// The rules would not bind the other threads.
    case threadsExist(count: Int32)
    /// A call that confines failed, with its `errno`.
    case refused(call: String, code: Int32)

    static func checkThreads() throws(ConfinementError) {
        let count = martlet_thread_count()
        guard count == 1 else { throw .threadsExist(count: count) }
    }

    static func check(_ call: String, _ body: () -> Int32) throws(ConfinementError) {
        guard body() >= 0 else { throw .refused(call: call, code: martlet_last_error()) }
    }
}

extension ConfinementError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .threadsExist(let count): "cannot confine a process of \(count) threads: it must be done before the first"
        case .refused(let call, let code): "cannot confine: \(call): \(String(cString: martlet_error_text(code)))"
        }
    }
}
