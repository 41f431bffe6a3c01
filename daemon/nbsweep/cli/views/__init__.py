"""Output for people: tables, trees and progress."""
