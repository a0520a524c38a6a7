// An error as a person reads it: what failed and why on one line, what to do on the next.

import Configuration
import Kernel
import Spool

/// Ends a command: `mailctl: cannot open spool/queued: Permission denied` and what to do about it.
struct Failure: Error, Hashable, Sendable {
    let status: ExitStatus
    let what: String
    let remedy: String

    init(_ status: ExitStatus, _ what: String, remedy: String) {
        self.status = status
        self.what = what
        self.remedy = remedy
    }
}

extension Failure {
    init(_ error: KernelError) {
        let (status, remedy): (ExitStatus, String) =
            if error.permissionDenied {
                (.noPermission, "run it as root, or as the owner of the tree")
            } else if error.isMissing {
                (.noInput, "check --root; a new tree is made by `mailctl init`")
            } else if error.exists {
                (.cannotCreate, "move it away, or choose another --root")
            } else if error.isNoSpace {
                (.temporary, "free disk space and try again")
            } else {
                (.inputOutput, "look at the system's log; nothing more was done")
            }
        self.init(status, "\(error)", remedy: remedy)
    }

    init(_ error: ConfigurationError) {
        if let cause = error.unreadable {
            let remedy = cause.isMissing ? "make it with `mailctl init --domain NAME`, or name another with --root or --config" : nil
            let failure = Failure(cause)
            self.init(failure.status, failure.what, remedy: remedy ?? failure.remedy)
        } else {
            self.init(.configuration, "the configuration is wrong\n\(error)", remedy: "correct it and run `mailctl config check`")
        }
    }

    init(_ error: LogError) {
        switch error {
        case .locked: self.init(.temporary, "\(error)", remedy: "wait until that process is done and try again")
        case .noSpace: self.init(.temporary, "\(error)", remedy: "free disk space and try again")
        case .failed(let cause), .broken(let cause): self.init(cause)
        }
    }
}

/// Runs `body`; an error of the kernel ends the command as it should be read.
func attempting<R: ~Copyable>(_ body: () throws(KernelError) -> R) throws(Failure) -> R {
    do throws(KernelError) { return try body() } catch { throw Failure(error) }
}
