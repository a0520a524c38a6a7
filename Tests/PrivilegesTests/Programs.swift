// The confinements as the programs make them.

import Configuration
@testable import Login
import Sandbox
@testable import locald
@testable import queued
@testable import remoted
@testable import smtpd

extension Confinement {
    static func ofSMTP(_ configuration: Configuration, _ service: String) -> Confinement? {
        Service(rawValue: service).map { .smtpd(configuration, service: $0) }
    }

    static func ofQueue(_ configuration: Configuration, _ program: String) -> Confinement? {
        switch program {
        case "queued": .queued(configuration)
        case "locald": .locald(configuration)
        case "remoted": .remoted(configuration)
        default: nil
        }
    }

    static func ofFront(_ configuration: Configuration) -> Confinement { .front(configuration) }
}
