// Signals that end a program, put off while it has something to clean up.

import Glibc

extension Signals {
    /// Hangup, interrupt, terminate, broken pipe, file size limit: each would leave a half-written file.
    private static let ending = [SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ]

    /// Keeps these signals waiting until `resume`. For programs of one thread.
    package static func postpone() { mask(SIG_BLOCK) }

    /// Lets the waiting signals do what they do: as a rule this does not return when there is one.
    package static func resume() { mask(SIG_UNBLOCK) }

    /// Whether one waits that the caller of this program did not have ignored, as `nohup` does.
    package static var isEnding: Bool {
        var waiting = sigset_t()
        sigpending(&waiting)
        return ending.contains { sigismember(&waiting, $0) == 1 && !isIgnored($0) }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func mask(_ how: Int32) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in ending { sigaddset(&set, number) }
        sigprocmask(how, &set, nil)
    }
}
