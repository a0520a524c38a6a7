// Owners, groups and modes: what `mailctl check` finds, as findings.

import Configuration
import Kernel

enum PermissionFindings {
    /// So many are named; whoever has more will mend them all by one command anyway.
    private static let most = 20

    static func all(_ patient: Patient) -> [Finding] {
        let places = TreePlaces(patient.configuration.paths, file: patient.options.configurationFile)
        let report: PermissionReport
        do throws(Failure) {
            report = try PermissionCheck(places, Ownership(patient.configuration, asRoot: Identity.isRoot), mends: false).run()
        } catch { return [.problem("permissions", error.what, remedy: error.remedy)] }
        let remedy = patient.mailctl("check --permissions --fix")
        var findings = report.open.prefix(most).map { Finding.problem("permissions", of: "\($0.path)", $0.what, remedy: remedy) }
        if report.open.count > most { findings.append(.problem("permissions", "\(report.open.count - most) more", remedy: remedy)) }
        findings += report.unknown.prefix(most).map { .unknown("permissions", $0) }
        return findings.isEmpty ? [.ok("permissions", "\(report.count) folders and files are as the table says")] : findings
    }
}
