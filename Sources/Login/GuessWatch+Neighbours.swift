// Failures that other services saw, counted with our own.

import Configuration
import Daemon
import Directory
import Kernel
import SASLProtocol

extension GuessWatch {
    func heard(_ fact: LoginFact) {
        guard fact.isSuccess else { return failed(from: fact.peer, as: fact.mark, at: fact.at.nanoseconds) }
        if let mark = fact.mark { succeeded(from: fact.peer, as: mark, at: fact.at.nanoseconds) }
    }
}

extension GuessLimits {
    init(_ settings: Configuration.Auth) { self.init(perAddress: settings.failuresPerAddress, perAccount: settings.failuresPerAccount) }
}
