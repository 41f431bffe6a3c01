"""What people see: tables, trees and progress."""
