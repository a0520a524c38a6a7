// The one decision about a server: who has the say, and that no doubt makes it weaker.

import Testing

@testable import MailPolicy

@Suite struct TransportDecisionTests {
    private static let demand = CertificateDemand([TLSARecord(usage: 3, selector: 0, matching: 0, data: [1])])

    private static func policy(_ mode: String, _ host: String = "mx.example.org") -> STSPolicy? {
        STSPolicy(parsing: Array("version: STSv1\nmode: \(mode)\nmx: \(host)\nmax_age: 1000".utf8))
    }

    private func question(_ change: (inout TransportQuestion) -> Void) -> TransportQuestion {
        var question = TransportQuestion()
        question.host = Array("mx.example.org".utf8)
        question.domain = Array("example.org".utf8)
        change(&question)
        return question
    }

    private func decision(_ change: (inout TransportQuestion) -> Void) -> TransportDecision { TransportDecision(question(change)) }

    private func connection(_ change: (inout TransportQuestion) -> Void) -> TransportPolicy? {
        if case .connect(let policy) = decision(change) { policy } else { nil }
    }

    @Test func withoutAnyPolicyTLSIsUsedWhereItIsOffered() {
        #expect(decision { _ in } == .connect(TransportPolicy(.opportunistic, .nothing, .none)))
    }

    @Test func DANEComesBeforeSTS() throws {
        let demand = try #require(TransportDecisionTests.demand)
        let found = connection { $0.associations = .demand(demand) ; $0.policy = TransportDecisionTests.policy("enforce", "other.example") }
        #expect(found == TransportPolicy(.required, .demand(demand), .dane))
        #expect(connection { $0.associations = .unusable } == TransportPolicy(.required, .nothing, .dane))
    }

    @Test func associationsThatCannotBeHadKeepFromTheServerWhateverElseThereIs() {
        for mode in ["enforce", "testing", "none"] {
            guard case .refuse(let fault, .dane) = decision({ $0.associations = .unavailable ; $0.policy = TransportDecisionTests.policy(mode) })
            else { return #expect(Bool(false), "\(mode)") }
            #expect(fault.result == "dnssec-invalid" && !fault.isPermanent)
        }
    }

    @Test func aPolicyInForceAsksForTheNameAndOneInTestingForNothing() {
        #expect(connection { $0.policy = TransportDecisionTests.policy("enforce") } == TransportPolicy(.required, .name, .sts))
        #expect(connection { $0.policy = TransportDecisionTests.policy("none") } == TransportPolicy(.opportunistic, .nothing, .none))
        let testing = connection { $0.policy = TransportDecisionTests.policy("testing") }
        #expect(testing?.isTesting == true && testing?.proof == .name)
        let wrong = connection { $0.policy = TransportDecisionTests.policy("testing", "other.example") }
        #expect(wrong?.encryption == .opportunistic && wrong?.note?.result == "validation-failure")
    }

    @Test func aServerThatThePolicyDoesNotNameIsNotUsed() {
        guard case .refuse(let fault, .sts) = decision({ $0.policy = TransportDecisionTests.policy("enforce", "other.example") }) else {
            return #expect(Bool(false))
        }
        #expect(fault.reason.contains("MTA-STS policy of example.org") && fault.reason.contains("mx.example.org"))
    }

    @Test func aPolicyThatCannotBeHadIsWrittenDown() {
        let found = connection { $0.policyFault = TransportFault("sts-policy-fetch-error", "x") }
        #expect(found?.encryption == .opportunistic && found?.source == .sts && found?.note?.result == "sts-policy-fetch-error")
    }

    @Test(arguments: [
        (TransportWish.opportunistic, TransportPolicy.Encryption.opportunistic, TransportPolicy.Proof.nothing), (.required, .required, .nothing),
        (.verified, .required, .name), (.never, .never, .nothing),
    ])
    func theAdministratorsWordForADomainIsTheLast(_ wish: TransportWish, _ encryption: TransportPolicy.Encryption, _ proof: TransportPolicy.Proof) throws {
        let demand = try #require(TransportDecisionTests.demand)
        let found = connection {
            $0.wish = wish
            $0.isForDomain = true
            $0.associations = .demand(demand)
            $0.policy = TransportDecisionTests.policy("enforce")
        }
        #expect(found?.encryption == encryption && found?.proof == proof)
    }

    @Test func whatHoldsForAllGivesWayToWhatIsStricterAndNeverIsNever() {
        #expect(connection { $0.wish = .required ; $0.policy = TransportDecisionTests.policy("enforce") }?.proof == .name)
        #expect(connection { $0.wish = .required }?.encryption == .required)
        #expect(connection { $0.wish = .never ; $0.policy = TransportDecisionTests.policy("enforce") }?.encryption == .never)
    }

    @Test func whatOthersPublishTakesNothingFromWhatHoldsForAll() {
        for (wish, proof) in [(TransportWish.required, TransportPolicy.Proof.nothing), (.verified, .name)] {
            #expect(connection { $0.wish = wish ; $0.policy = TransportDecisionTests.policy("testing") } == TransportPolicy(.required, proof, .fixed))
            let wrong = connection { $0.wish = wish ; $0.policy = TransportDecisionTests.policy("testing", "other.example") }
            #expect(wrong?.encryption == .required && wrong?.proof == proof && wrong?.isTesting == false)
            #expect(wrong?.note?.result == "validation-failure")
            #expect(connection { $0.wish = wish ; $0.associations = .unusable } == TransportPolicy(.required, proof, .dane))
        }
    }

    // MARK: REQUIRETLS

    @Test func whoAsksForTLSAllTheWayGetsItWhereTheServerIsCertain() throws {
        let demand = try #require(TransportDecisionTests.demand)
        #expect(connection { $0.isAsked = true ; $0.isNamed = true } == TransportPolicy(.required, .name, .fixed))
        #expect(connection { $0.isAsked = true ; $0.isSigned = true } == TransportPolicy(.required, .name, .none))
        #expect(connection { $0.isAsked = true ; $0.isSigned = true ; $0.associations = .demand(demand) }?.proof == .demand(demand))
        #expect(connection { $0.isAsked = true ; $0.isSigned = true ; $0.associations = .unusable }?.proof == .name)
        for mode in ["enforce", "testing"] {
            let found = connection { $0.isAsked = true ; $0.policy = TransportDecisionTests.policy(mode) }
            #expect(found == TransportPolicy(.required, .name, .sts), "\(mode)")
        }
        #expect(connection { $0.isAsked = true ; $0.isNamed = true ; $0.wish = .never ; $0.isForDomain = true }?.proof == .name)
    }

    @Test func whereTheServerIsNotCertainItIsReturnedAndInDoubtItWaits() {
        guard case .refuse(let last, _) = decision({ $0.isAsked = true }) else { return #expect(Bool(false)) }
        #expect(last.isPermanent && last.reason.contains("requires TLS all the way"))
        for change: (inout TransportQuestion) -> Void in [
            { $0.associations = .unavailable }, { $0.policyFault = TransportFault("sts-policy-fetch-error", "x") },
            { $0.policy = TransportDecisionTests.policy("enforce", "other.example") },
            { $0.policy = TransportDecisionTests.policy("testing", "other.example") },
        ] {
            guard case .refuse(let fault, _) = decision({ $0.isAsked = true ; change(&$0) }) else { return #expect(Bool(false)) }
            #expect(!fault.isPermanent)
        }
    }

    @Test func whateverIsAskedNothingIsWeakerThanThePolicySays() throws {
        let demand = try #require(TransportDecisionTests.demand)
        for wish in [TransportWish.opportunistic, .required, .verified] {
            for associations in [AssociationFinding.none, .unavailable, .unusable, .demand(demand)] {
                for mode in ["enforce", "testing", "none"] {
                    let question = question { $0.wish = wish ; $0.associations = associations ; $0.policy = TransportDecisionTests.policy(mode) }
                    guard case .connect(let found) = TransportDecision(question) else {
                        #expect(associations == .unavailable)
                        continue
                    }
                    #expect(associations != .unavailable)
                    if associations == .unusable { #expect(found.encryption == .required) }
                    if case .demand = associations { #expect(found.proof == .demand(demand)) }
                    if wish != .opportunistic { #expect(found.encryption == .required && !found.isTesting) }
                    if wish == .verified { #expect(found.proof != .nothing) }
                    if associations == .none, mode == "enforce" { #expect(found.encryption == .required && found.proof == .name) }
                }
            }
        }
    }
}
